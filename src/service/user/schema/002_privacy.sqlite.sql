-- What people decide about being found and followed.
ALTER TABLE profile ADD COLUMN is_private INTEGER NOT NULL DEFAULT 0;
ALTER TABLE profile ADD COLUMN discoverable_by_email INTEGER NOT NULL DEFAULT 0;
ALTER TABLE profile ADD COLUMN discoverable_by_phone INTEGER NOT NULL DEFAULT 0;
