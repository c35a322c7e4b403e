DROP TABLE known_networks;
DROP INDEX users_without_skeleton;
DROP INDEX users_by_skeleton;
ALTER TABLE users DROP COLUMN username_skeleton;
