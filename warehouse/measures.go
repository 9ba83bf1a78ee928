package warehouse

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Measures answers the questions of Definitions from the mirrors. What it returns is wrong input (*InputError), no warehouse
// (ErrUnavailable), a context's error, a fault of the program, or an answer that says of when it is.
type Measures struct {
	db          *DB
	maxGroups   uint64 // distinct (cell, time, end) that ClickHouse may hand over; beyond it times are counted in coarser units
	maxCounts   uint64 // counts that the arrays of an answer may have together; beyond it each is handed over by itself
	mirrorOnly  bool   // the base is not read
	withoutSums bool   // of the base by place, as on a server that cannot read them
	coarse      bool   // times are not counted by second, as if there were many issues
	maxSent     int    // values that go with a statement as they are
	maxMoved    int    // issues whose rows go with a statement, where they changed since a base
	sample      int64  // issues of the base that are read where some are enough
	rowsRead    int64  // of a base that one statement reads one by one
	queryTime   time.Duration
	memory      *memory
}

// Guards of every query.
const (
	queryTime = 10 * time.Second
	maxGroups = 500_000
	maxCounts = 8_000_000
	// maxSent is up to how many ids go with a statement as they are; more are looked up by it. By HTTP a value may have 128 KiB (http_max_field_value_size), the texts of some 3,200 ids.
	maxSent  = 2500
	maxMoved = 500
)

// NewMeasures returns the measures of a warehouse.
func NewMeasures(db *DB) *Measures {
	return &Measures{db: db, maxGroups: maxGroups, maxCounts: maxCounts, maxSent: maxSent, maxMoved: maxMoved, sample: someIssues, rowsRead: rowsRead, queryTime: queryTime, memory: newMemory()}
}

// Patient lets every query of a measure take so long; otherwise it is 10 s.
func (m *Measures) Patient(d time.Duration) *Measures {
	m.queryTime = d
	return m
}

// query runs a composed statement under the guards.
func (m *Measures) query(ctx context.Context, s statement) (driver.Rows, error) {
	noteTables(ctx, s.text)
	groups := m.maxGroups
	if s.maxGroups > 0 {
		groups = s.maxGroups
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"max_execution_time":      int(m.queryTime.Seconds()),
		"max_rows_to_group_by":    groups,
		"group_by_overflow_mode":  "throw",
		"join_use_nulls":          0,
		"date_time_output_format": "simple",
	}))
	args := make([]any, 0, len(s.values))
	for name, value := range s.values {
		if strings.Contains(s.text, "{"+name+":") {
			args = append(args, clickhouse.Named(name, value))
		}
	}
	if !s.whole {
		s.text = narrowed(s.text)
	}
	return m.db.Query(ctx, s.text, args...)
}

// each runs a statement and calls row for every row of its answer.
func (m *Measures) each(ctx context.Context, operation string, s statement, row func(scan func(...any) error) error) error {
	for name, value := range s.values {
		if _, two := value.(twoValues); two {
			return fmt.Errorf("%s: two parts of the statement give the parameter %s different values", operation, name)
		}
	}
	rows, err := m.query(ctx, s)
	if err != nil {
		return failed(ctx, operation, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return fmt.Errorf("%s: read the answer: %w", operation, err)
		}
	}
	if err := rows.Err(); err != nil {
		return failed(ctx, operation, err)
	}
	return nil
}

// eachOf runs statements beside each other, long ones one after the other, and calls add, once at a time, for every row of their answers, read into the targets of its statement.
func (m *Measures) eachOf(ctx context.Context, operation string, statements []statement, into func() (targets []any, add func())) error {
	var lock, turn sync.Mutex
	all := make([]func() error, len(statements))
	for i, s := range statements {
		targets, add := into()
		all[i] = func() error {
			if s.long {
				turn.Lock()
				defer turn.Unlock()
			}
			return m.each(ctx, operation, s, func(scan func(...any) error) error {
				if err := scan(targets...); err != nil {
					return err
				}
				lock.Lock()
				defer lock.Unlock()
				add()
				return nil
			})
		}
	}
	return together(all...)
}

// statement is SQL whose identifiers are constants of this package and whose values are bound by the server.
type statement struct {
	text      string
	values    map[string]any
	maxGroups uint64 // in place of that of all; 0 = none
	whole     bool   // all columns of issues are read, though none is named
	long      bool   // it reads much, and keeps all processors busy
}

// with returns the statement with more values.
func (s statement) with(name string, value any) statement {
	values := maps.Clone(s.values)
	if values == nil {
		values = map[string]any{}
	}
	bind(values, name, value)
	s.values = values
	return s
}

// twoValues stands for the value of a parameter that parts of a statement give different values: the statement is refused, rather than
// that one part asks with the other's.
type twoValues struct{}

func bind(values map[string]any, name string, value any) {
	if had, has := values[name]; has && !reflect.DeepEqual(had, value) {
		value = twoValues{}
	}
	values[name] = value
}
