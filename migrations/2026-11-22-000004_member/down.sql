DROP TABLE identifier;
DROP TABLE member;
