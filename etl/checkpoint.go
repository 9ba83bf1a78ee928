package etl

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/jackc/pglogrepl"
)

// checkpoint says that everything committed up to applied is in the warehouse. It is the only durable "done".
type checkpoint struct {
	epoch      uint64 // of the session that wrote it; each session takes the next, so that a stalled old one cannot speak for it
	seq        uint64
	applied    pglogrepl.LSN // end of the last transaction, or a later position with nothing before it outstanding; 0 = a load is under way
	commitTime time.Time     // when the last applied transaction committed
	systemID   string
	timeline   int32
	slot       string
}

// exists reports whether a finished load stands behind c.
func (c checkpoint) exists() bool { return c.applied > 0 }

// readCheckpoint reads the current checkpoint of the pipeline; a pipeline that never ran has the zero one.
func readCheckpoint(ctx context.Context, ch driver.Conn, pipeline string) (checkpoint, error) {
	var c checkpoint
	var applied uint64
	err := ch.QueryRow(ctx, `SELECT epoch, seq, applied_lsn, commit_time, system_id, timeline, slot FROM etl_checkpoint
		WHERE pipeline = {pipeline:String} ORDER BY epoch DESC, seq DESC LIMIT 1`, named("pipeline", pipeline)).
		Scan(&c.epoch, &c.seq, &applied, &c.commitTime, &c.systemID, &c.timeline, &c.slot)
	if errors.Is(err, sql.ErrNoRows) {
		return checkpoint{}, nil
	}
	if ex, ok := errors.AsType[*clickhouse.Exception](err); ok && ex.Code == 60 {
		return checkpoint{}, fatalf("the warehouse has no table etl_checkpoint: run `groundwork migrate`")
	}
	if err != nil {
		return checkpoint{}, fmt.Errorf("read the checkpoint of pipeline %s: %w", pipeline, err)
	}
	c.applied = pglogrepl.LSN(applied)
	return c, nil
}

// checkpointInsert names the columns in the order in which write encodes them.
const checkpointInsert = "INSERT INTO etl_checkpoint (pipeline, epoch, seq, applied_lsn, commit_time, system_id, timeline, slot, written_at)"

// write makes c durable under the next seq and returns it as written.
func (c checkpoint) write(ctx context.Context, ch driver.Conn, pipeline string, now time.Time) (checkpoint, error) {
	c.seq++
	if err := insert(ctx, ch, checkpointInsert, c.encode(pipeline, now)); err != nil {
		return c, fmt.Errorf("write the checkpoint %s of pipeline %s: %w", c.applied, pipeline, err)
	}
	return c, nil
}

func (c checkpoint) encode(pipeline string, now time.Time) []byte {
	var b rowBinary
	b.string(pipeline)
	b.uint64(c.epoch)
	b.uint64(c.seq)
	b.uint64(uint64(c.applied))
	b.micros(c.commitTime)
	b.string(c.systemID)
	b.uint32(uint32(c.timeline))
	b.string(c.slot)
	b.micros(now)
	return b
}
