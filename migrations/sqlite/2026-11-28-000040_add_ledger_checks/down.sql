DROP TABLE ledger_checks;
