package warehouse

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

// Bounds of what a Cache remembers.
const (
	cachedAnswers = 512
	cachedCells   = 5_000           // an answer with more is not remembered
	cachedFor     = 5 * time.Minute // ages of what is open go on, though nothing happens
	lookAgain     = 50 * time.Millisecond
)

// Cache remembers answers for as long as the tables that they were made of do not change; that time passes, and heartbeats say so, changes
// none. A remembered answer keeps the as-of of its making, which lies at most five minutes back. The same question asked by several at once
// is asked of the warehouse once.
type Cache struct {
	measures *Measures
	answers  *lru.Cache[[sha256.Size]byte, remembered]
	flights  singleflight.Group
	now      func() time.Time
	again    time.Duration // how long a look at the versions serves

	mu     sync.Mutex
	last   state
	looked time.Time
}

// remembered is an answer, and the versions of the tables that it was made of.
type remembered struct {
	table    *Table
	versions map[string]uint64
	made     time.Time
}

// state is how far the warehouse is, and the version of each of its tables: it changes with every insert, mutation and exchange, and not by merges.
type state struct {
	watermark Watermark
	versions  map[string]uint64
	stopped   []string // tables of the system of record whose changes are left out, because too many of their rows were set aside
}

// NewCache returns the measures with a memory of 512 answers.
func NewCache(m *Measures) *Cache {
	answers, err := lru.New[[sha256.Size]byte, remembered](cachedAnswers)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &Cache{measures: m, answers: answers, now: time.Now, again: lookAgain}
}

// Watermark returns how far the warehouse has the system of record.
func (c *Cache) Watermark(ctx context.Context) (Watermark, error) { return c.measures.Watermark(ctx) }

// Nearest is Measures.Nearest.
func (c *Cache) Nearest(ctx context.Context, now Asked, before []Asked) (difference uint64, ok bool, err error) {
	return c.measures.Nearest(ctx, now, before)
}

// Behind is Measures.Behind.
func (c *Cache) Behind(ctx context.Context, code, number string, q Question, cell Cell, after uuid.UUID, limit int) (*Behind, error) {
	return c.measures.Behind(ctx, code, number, q, cell, after, limit)
}

// TopicPulse is Measures.TopicPulse.
func (c *Cache) TopicPulse(ctx context.Context, q TopicQuestion) (*TopicPulse, error) {
	return c.measures.TopicPulse(ctx, q)
}

// Ask answers as Measures.Ask does. The answer is shared: whoever gets it must not change it.
func (c *Cache) Ask(ctx context.Context, code string, q Question) (*Table, error) {
	measure, ok := MeasureByCode(code)
	if !ok {
		return c.measures.Ask(ctx, code, q)
	}
	now, fresh, err := c.await(ctx, q)
	if err != nil {
		return nil, err
	}
	q.MinLSN, q.Wait = 0, 0 // it has been waited for
	key, err := questionKey(measure, q)
	if err != nil {
		return nil, err
	}
	known, found := c.answers.Get(key)
	if !found || !c.holds(known, now) {
		if known, err = c.ask(ctx, code, q, key, now); err != nil {
			return nil, err
		}
	}
	answer := *known.table
	answer.Fresh = fresh
	if stopped := now.stoppedOf(known.versions); len(stopped) > 0 {
		answer.Fresh = false
		answer.Notes = append(slices.Clone(answer.Notes), fmt.Sprintf("%s: no changes arrive, since too many rows could not be stored; the figures are of before", strings.Join(stopped, ", ")))
	}
	if answer.Watermark.LSN < now.watermark.LSN {
		answer.Watermark = now.watermark // nothing of what it was made of has changed up to there
	}
	return &answer, nil
}

// await looks at the state until it has what the question waits for.
func (c *Cache) await(ctx context.Context, q Question) (now state, fresh bool, err error) {
	if now, err = c.state(ctx, c.again); err != nil || now.watermark.LSN >= q.MinLSN {
		return now, err == nil, err
	}
	if _, fresh, err = c.measures.AwaitLSN(ctx, q.MinLSN, q.Wait); err != nil {
		return now, false, err
	}
	now, err = c.state(ctx, 0)
	return now, fresh, err
}

// holds reports whether a remembered answer is still that of the data.
func (c *Cache) holds(known remembered, now state) bool {
	if c.now().Sub(known.made) > cachedFor {
		return false
	}
	for table, version := range known.versions {
		if now.versions[table] != version {
			return false
		}
	}
	return true
}

// stoppedOf names the stopped tables among those that an answer was made of.
func (s state) stoppedOf(tables map[string]uint64) []string {
	return slices.DeleteFunc(slices.Clone(s.stopped), func(source string) bool {
		return !slices.ContainsFunc(Mirrors, func(m Mirror) bool { _, read := tables[m.Table]; return read && m.Source == source })
	})
}

// ask asks the warehouse, and remembers. The versions are those from before, so that what changes meanwhile makes the answer forgotten.
func (c *Cache) ask(ctx context.Context, code string, q Question, key [sha256.Size]byte, now state) (remembered, error) {
	// Whoever asked first may go away: the others still want the answer, so that its going does not end the work; its time is bounded.
	found, err, _ := c.flights.Do(string(key[:]), func() (any, error) {
		read := &tablesRead{}
		made := c.now()
		var table *Table
		err := Guarded(func() (err error) {
			table, err = c.measures.Ask(context.WithValue(now.in(context.WithoutCancel(ctx)), tablesKey{}, read), code, q)
			return err
		})
		if err != nil {
			return nil, err
		}
		known := remembered{table: table, made: made, versions: map[string]uint64{}}
		for name := range read.names() {
			known.versions[name] = now.versions[name]
		}
		if len(table.N) <= cachedCells {
			c.answers.Add(key, known)
		}
		return known, nil
	})
	if err != nil {
		return remembered{}, err
	}
	return found.(remembered), nil
}

// questionKey is a digest of the definition and the question.
func questionKey(m Measure, q Question) (key [sha256.Size]byte, err error) {
	text, err := json.Marshal([]any{m.Code, m.Version, q})
	if err != nil {
		return key, fmt.Errorf("digest of the question: %w", err)
	}
	return sha256.Sum256(text), nil
}

// stateQuery reads all in one look, the tables and their versions in one pass, so that they belong together. Mutations take their versions from the same numbers as inserted blocks.
const stateQuery = `SELECT lsn, committed_at, (SELECT mapFromArrays(groupArray(table), groupArray(version)) FROM (` + tableVersions + `)),
	(SELECT arraySort(groupUniqArray(source)) FROM etl_load FINAL WHERE state = 'stopped') FROM pub_watermark`

// A load puts a table of another identity in the place of a mirror, and its parts lie elsewhere. (To ask system.tables for the identity took as long as all else.)
const tableVersions = `SELECT table, cityHash64(max(substring(path, 1, length(path) - length(name) - 1)), max(greatest(max_block_number, toInt64(data_version)))) AS version
	FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table ORDER BY table`

// state looks at the warehouse, unless somebody did so within the time.
func (c *Cache) state(ctx context.Context, within time.Duration) (state, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if started := c.now(); started.Sub(c.looked) >= within || c.last.versions == nil {
		s, err := c.measures.state(ctx)
		if err != nil {
			return state{}, err
		}
		c.last, c.looked = s, started
	}
	return c.last, nil
}

func (m *Measures) state(ctx context.Context) (s state, err error) {
	err = m.db.QueryRow(ctx, stateQuery).Scan(&s.watermark.LSN, &s.watermark.CommittedAt, &s.versions, &s.stopped)
	if errors.Is(err, sql.ErrNoRows) || err == nil && s.watermark.LSN == 0 {
		return state{}, errNotLoaded
	}
	if err != nil {
		return state{}, failed(ctx, "read the state of the warehouse", err)
	}
	return s, nil
}

// tablesRead gathers which mirrors the statements of an answer read.
type tablesRead struct {
	mu    sync.Mutex
	found map[string]bool
}

type tablesKey struct{}

// mirrorName finds the tables in a statement; views of a measure would hide them, so measures read none but pub_watermark.
var mirrorName = regexp.MustCompile(`\b[df]_[a-z_]+\b`)

func noteTables(ctx context.Context, statement string) {
	read, ok := ctx.Value(tablesKey{}).(*tablesRead)
	if !ok {
		return
	}
	read.mu.Lock()
	defer read.mu.Unlock()
	if read.found == nil {
		read.found = map[string]bool{}
	}
	for _, name := range mirrorName.FindAllString(statement, -1) {
		for _, mirror := range mirrorsOf(name) {
			read.found[mirror] = true
		}
	}
}

// mirrorsOf are the mirrors that a table is a copy of, which is corrected; or itself.
func mirrorsOf(table string) []string {
	for _, k := range baseKinds {
		if table == k.table {
			return k.mirrors
		}
	}
	return []string{table}
}

func (r *tablesRead) names() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.found)
}
