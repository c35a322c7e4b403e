-- The last result of each kind of ledger check, for the dashboard. `first` has the first
-- discrepancies, one a line.
CREATE TABLE ledger_checks (
    kind TEXT COLLATE "C" PRIMARY KEY,
    at BIGINT NOT NULL,
    products BIGINT NOT NULL,
    orders BIGINT NOT NULL,
    movements BIGINT NOT NULL,
    discrepancies BIGINT NOT NULL,
    first TEXT NOT NULL
);
