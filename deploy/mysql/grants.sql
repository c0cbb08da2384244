-- What the account that serves may do, table by table. Run it as the database's administrator
-- after `triallog init` and after each upgrade:
--
--   mariadb -u root -p < grants.sql
--
-- An entry that is stored can be neither changed nor deleted by this account.

-- Trillian's tables.
GRANT SELECT ON trialproof.Trees TO 'trialproof_server'@'%';
GRANT SELECT ON trialproof.TreeControl TO 'trialproof_server'@'%';
GRANT SELECT, INSERT ON trialproof.TreeHead TO 'trialproof_server'@'%';
GRANT SELECT, INSERT ON trialproof.LeafData TO 'trialproof_server'@'%';
GRANT SELECT, INSERT ON trialproof.SequencedLeafData TO 'trialproof_server'@'%';
GRANT SELECT, INSERT, UPDATE ON trialproof.Subtree TO 'trialproof_server'@'%';
-- None on trialproof.Unsequenced, which stays empty.

-- The log's own.
GRANT SELECT, UPDATE ON trialproof.tp_log TO 'trialproof_server'@'%';
GRANT SELECT, INSERT, DELETE ON trialproof.tp_batches TO 'trialproof_server'@'%';
GRANT SELECT, INSERT ON trialproof.tp_statements TO 'trialproof_server'@'%';
GRANT SELECT, INSERT ON trialproof.tp_about TO 'trialproof_server'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON trialproof.tp_checkpoints TO 'trialproof_server'@'%';
GRANT SELECT, INSERT, DELETE ON trialproof.tp_records TO 'trialproof_server'@'%';
GRANT SELECT, INSERT, DELETE ON trialproof.tp_tiles TO 'trialproof_server'@'%';
GRANT SELECT, UPDATE ON trialproof.tp_lease TO 'trialproof_server'@'%';
GRANT SELECT ON trialproof.tp_schema TO 'trialproof_server'@'%';
