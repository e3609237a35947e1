-- Whether anybody else is left who can administer.
CREATE INDEX account_admins ON account (user_id) WHERE role = 2 AND is_active = 1;
