-- History across members, newest first, and what happened in a period. Entries come in the order of this key, so that its
-- pages fill one after the other.
ALTER TABLE entry ADD KEY entry_time (merchant_id, recorded_at);
