-- Tries at what can be guessed. The key is a digest of what was tried, at which account and from
-- where: names that are typed in by mistake may be passwords.
CREATE TABLE attempts (
    key TEXT PRIMARY KEY,
    tries INTEGER NOT NULL CHECK (tries >= 0),
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_by_age ON attempts (at);
