-- The skeleton of the username (UTS 39): names that look alike have the same. Not unique, as
-- existing names may look alike. Computed by the program, which fills in missing ones after every
-- migration and at every start.
ALTER TABLE users ADD COLUMN username_skeleton TEXT COLLATE "C";
CREATE INDEX users_by_skeleton ON users (username_skeleton);
CREATE INDEX users_without_skeleton ON users (id) WHERE username_skeleton IS NULL;

-- Client networks from which the right password of an account came lately. Both are digests.
CREATE TABLE known_networks (
    account TEXT COLLATE "C" NOT NULL,
    network TEXT COLLATE "C" NOT NULL,
    is_staff BOOLEAN NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (account, network)
);
CREATE INDEX known_networks_by_age ON known_networks (at);
