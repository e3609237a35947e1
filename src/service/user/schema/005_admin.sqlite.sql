-- Lists of the few: who has a role, who is disabled.
CREATE INDEX profile_staff ON profile (role, user_id) WHERE role > 0;
CREATE INDEX profile_inactive ON profile (user_id) WHERE is_active = 0;
