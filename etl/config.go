package etl

import (
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"groundwork/warehouse"
)

// Config says what to replicate, from where, to where. Zero values take the default that stands beside each field.
type Config struct {
	Postgres    string      // connection string of the system of record; its user needs REPLICATION. Required.
	ClickHouse  driver.Conn // the warehouse, opened over HTTP and migrated. Required.
	Pipeline    string      // name of the checkpoint in the warehouse: "main"
	Slot        string      // replication slot, created when missing: named after the database, as slots belong to a server: DefaultSlot
	Publication string      // what is replicated: "groundwork"

	FlushInterval     time.Duration // shortest time between two flushes while changes trickle: 250 ms
	FlushRows         int           // rows over all mirrors that force a flush: 100,000
	FlushBytes        int           // encoded bytes over all mirrors that force a flush: 16 MiB
	QueueBytes        int           // received and not yet applied bytes that stop the receiver: 8 MiB
	HeartbeatInterval time.Duration // how often an idle system of record is made to say that it is alive: 10 s
	StatusInterval    time.Duration // longest time without a status to Postgres; below its wal_sender_timeout: 5 s
	ControlInterval   time.Duration // how often the slot's health and the wishes of operators are looked up: 1 s
	LoadWorkers       int           // ranges of tables that a load copies, or verify adds up, at the same time: 3
	DeadBudget        int           // rows of one table that a session sets aside before it stops the table: 1,000
	MaxKeptWAL        int64         // bytes of WAL kept for the slot at whose half a warning and at 80 % of which an alarm is logged: 16 GiB
	RetryInterval     time.Duration // first pause after a lost connection, doubling up to 20 times: 250 ms

	Now    func() time.Time // the wall clock; no decision hangs on it, only what is reported: time.Now
	Logger *slog.Logger     // slog.Default()

	Metrics prometheus.Registerer // where the figures of operations are shown: nowhere
	Traces  trace.TracerProvider  // who collects a trace of each session and each batch: nobody
	Layout  warehouse.Layout      // on what the warehouse is laid out: one server

	mirrors    []warehouse.Mirror // warehouse.Mirrors; tests play an older program with fewer
	rangeBytes int64              // of a table that one range of a load or of verify takes: rangeBytes; tests cut small tables
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
		"ControlInterval": int64(c.ControlInterval), "DeadBudget": int64(c.DeadBudget), "MaxKeptWAL": c.MaxKeptWAL, "LoadWorkers": int64(c.LoadWorkers),
	} {
		if v < 0 {
			fault("%s %d: give a positive value, or zero for the default", name, v)
		}
	}
	return errors.Join(faults...)
}

func (c Config) withDefaults() Config {
	orDefault(&c.Pipeline, "main")
	orDefault(&c.Slot, DefaultSlot(c.Postgres))
	orDefault(&c.Publication, "groundwork")
	orDefault(&c.FlushInterval, 250*time.Millisecond)
	orDefault(&c.FlushRows, 100_000)
	orDefault(&c.FlushBytes, 16<<20)
	orDefault(&c.QueueBytes, 8<<20)
	orDefault(&c.HeartbeatInterval, 10*time.Second)
	orDefault(&c.StatusInterval, 5*time.Second)
	orDefault(&c.ControlInterval, time.Second)
	orDefault(&c.DeadBudget, 1000)
	orDefault(&c.MaxKeptWAL, 16<<30)
	orDefault(&c.LoadWorkers, 3)
	orDefault(&c.rangeBytes, rangeBytes)
	orDefault(&c.RetryInterval, 250*time.Millisecond)
	if c.mirrors == nil {
		c.mirrors = warehouse.Mirrors
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// DefaultSlot names the slot of a database: groundwork_etl for "groundwork", groundwork_etl_NAME for others, so that several Groundwork
// databases live on one server.
func DefaultSlot(dsn string) string {
	const slot = "groundwork_etl"
	c, err := pgx.ParseConfig(dsn)
	if err != nil || c.Database == "" || c.Database == "groundwork" {
		return slot
	}
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, c.Database)
	if name := slot + "_" + plain; plain == c.Database && slotName.MatchString(name) {
		return name
	}
	// What had to be altered gets a mark of the whole name, so that two such names stay two.
	return fmt.Sprintf("%s_%.30s_%08x", slot, plain, crc32.ChecksumIEEE([]byte(c.Database)))
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
