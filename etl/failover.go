package etl

import (
	"context"
	"fmt"

	"github.com/jackc/pglogrepl"
)

// failoverSince is the first version of Postgres whose logical slots can follow to a promoted standby.
const failoverSince = 170000

// createSlot makes the slot and exports its snapshot. From Postgres 17 on it is a failover slot: a standby with
// sync_replication_slots keeps a copy of it. pglogrepl has no such option, so the command is sent as text; the name is safe in it.
func (s *session) createSlot(ctx context.Context) (none pglogrepl.CreateReplicationSlotResult, err error) {
	var version int
	if err := s.control.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return none, fmt.Errorf("read the version of Postgres: %w", err)
	}
	if version < failoverSince {
		return pglogrepl.CreateReplicationSlot(ctx, s.repl, s.cfg.Slot, "pgoutput", pglogrepl.CreateReplicationSlotOptions{
			Mode: pglogrepl.LogicalReplication, SnapshotAction: "EXPORT_SNAPSHOT"})
	}
	return pglogrepl.ParseCreateReplicationSlot(s.repl.Exec(ctx,
		fmt.Sprintf("CREATE_REPLICATION_SLOT %s LOGICAL pgoutput (SNAPSHOT 'export', FAILOVER true)", s.cfg.Slot)))
}
