package etl

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/jackc/pgx/v5"
)

// Config says what to replicate, from where, to where. Zero values take the default that stands beside each field.
type Config struct {
	Postgres    string      // connection string of the system of record; its user needs REPLICATION. Required.
	ClickHouse  driver.Conn // the warehouse, opened over HTTP and migrated. Required.
	Pipeline    string      // name of the checkpoint in the warehouse: "main"
	Slot        string      // replication slot, created when missing: "groundwork_etl". One a Postgres server, not a database.
	Publication string      // what is replicated: "groundwork"

	FlushInterval     time.Duration // shortest time between two flushes while changes trickle: 250 ms
	FlushRows         int           // rows over all mirrors that force a flush: 100,000
	FlushBytes        int           // encoded bytes over all mirrors that force a flush: 32 MiB
	QueueBytes        int           // received and not yet applied bytes that stop the receiver: 32 MiB
	HeartbeatInterval time.Duration // how often an idle system of record is made to say that it is alive: 10 s
	StatusInterval    time.Duration // longest time without a status to Postgres; below its wal_sender_timeout: 5 s
	RetryInterval     time.Duration // first pause after a lost connection, doubling up to 20 times: 250 ms

	Logger *slog.Logger // slog.Default()
}

// slotName is what Postgres allows; it also makes the name safe to stand in replication commands, which take no parameters.
var slotName = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)

// Validate reports every fault of the configuration at once.
func (c Config) Validate() error {
	c = c.withDefaults()
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("etl: "+format, args...)) }
	if c.Postgres == "" {
		fault("Postgres: connection string is empty: give postgres://user:password@host:port/database")
	} else if _, err := pgx.ParseConfig(c.Postgres); err != nil {
		fault("Postgres: %w", err)
	}
	if c.ClickHouse == nil {
		fault("ClickHouse: no connection: open one with warehouse.Open")
	}
	if !slotName.MatchString(c.Slot) {
		fault("Slot %q: use 1 to 63 lower-case letters, digits and underscores", c.Slot)
	}
	if !slotName.MatchString(c.Publication) {
		fault("Publication %q: use 1 to 63 lower-case letters, digits and underscores", c.Publication)
	}
	for name, v := range map[string]int64{
		"FlushInterval": int64(c.FlushInterval), "FlushRows": int64(c.FlushRows), "FlushBytes": int64(c.FlushBytes), "QueueBytes": int64(c.QueueBytes),
		"HeartbeatInterval": int64(c.HeartbeatInterval), "StatusInterval": int64(c.StatusInterval), "RetryInterval": int64(c.RetryInterval),
	} {
		if v < 0 {
			fault("%s %d: give a positive value, or zero for the default", name, v)
		}
	}
	return errors.Join(faults...)
}

func (c Config) withDefaults() Config {
	orDefault(&c.Pipeline, "main")
	orDefault(&c.Slot, "groundwork_etl")
	orDefault(&c.Publication, "groundwork")
	orDefault(&c.FlushInterval, 250*time.Millisecond)
	orDefault(&c.FlushRows, 100_000)
	orDefault(&c.FlushBytes, 32<<20)
	orDefault(&c.QueueBytes, 32<<20)
	orDefault(&c.HeartbeatInterval, 10*time.Second)
	orDefault(&c.StatusInterval, 5*time.Second)
	orDefault(&c.RetryInterval, 250*time.Millisecond)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
