-- The last result of each kind of ledger check, for the dashboard. `first` has the first
-- discrepancies, one a line.
CREATE TABLE ledger_checks (
    kind TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    products INTEGER NOT NULL,
    orders INTEGER NOT NULL,
    movements INTEGER NOT NULL,
    discrepancies INTEGER NOT NULL,
    first TEXT NOT NULL
) STRICT;
