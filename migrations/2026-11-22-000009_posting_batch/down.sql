DROP TABLE posting_batch;
