ALTER TABLE entry DROP KEY entry_time;
