-- Trade signals and their approval (X01 to X03). Prices are text: exact, in their shortest form.
CREATE TABLE trade_signal (
    signal_id BLOB PRIMARY KEY,
    user_id BLOB NOT NULL,
    symbol TEXT NOT NULL,
    side INTEGER NOT NULL,         -- enum signal_side
    entry_price TEXT NOT NULL,
    stop_loss TEXT,
    take_profit TEXT,
    note TEXT,
    status INTEGER NOT NULL,       -- enum signal_status
    reason TEXT,                   -- of the last decision, as the next two
    decided_by BLOB,
    decided_at INTEGER NOT NULL DEFAULT 0, -- wall clock, ms; 0: not decided
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The lists, newest first: one's own; all; all of a status; the public board by when they came.
CREATE INDEX trade_signal_by_user ON trade_signal (user_id, created_at);
CREATE INDEX trade_signal_by_time ON trade_signal (created_at);
CREATE INDEX trade_signal_by_status ON trade_signal (status, created_at);
CREATE INDEX trade_signal_approved ON trade_signal (decided_at) WHERE status = 1;
-- Whose decision it was: for an admin who goes.
CREATE INDEX trade_signal_by_decider ON trade_signal (decided_by) WHERE decided_by IS NOT NULL;

-- What became of a signal, step by step, from its making on.
CREATE TABLE trade_signal_history (
    signal_id BLOB NOT NULL,
    step INTEGER NOT NULL,         -- 1, 2, 3 ...
    status INTEGER NOT NULL,
    reason TEXT,
    by_user_id BLOB,               -- NULL: somebody who is gone
    at INTEGER NOT NULL,
    PRIMARY KEY (signal_id, step)
) STRICT, WITHOUT ROWID;

CREATE INDEX trade_signal_history_by_user ON trade_signal_history (by_user_id);
