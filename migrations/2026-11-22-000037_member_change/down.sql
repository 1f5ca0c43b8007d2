DROP TABLE member_change;
