DROP TABLE reward;
