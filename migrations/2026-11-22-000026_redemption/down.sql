DROP TABLE redemption;
