-- The boot of the machine in which a server was started on this database last; one row at most.
CREATE TABLE boots (
    id TEXT PRIMARY KEY
);
