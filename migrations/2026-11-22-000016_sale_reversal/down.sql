DROP TABLE sale_reversal;
