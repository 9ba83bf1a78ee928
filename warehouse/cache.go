package warehouse

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

// Bounds of what a Cache remembers.
const (
	cachedAnswers = 512
	cachedCells   = 5_000 // an answer with more is not remembered
)

// Cache remembers answers for as long as the data they were made of is the newest. The same question asked by several at once is asked
// of the warehouse once.
type Cache struct {
	measures *Measures
	answers  *lru.Cache[[sha256.Size]byte, *Table]
	flights  singleflight.Group
}

// NewCache returns the measures with a memory of 512 answers.
func NewCache(m *Measures) *Cache {
	answers, err := lru.New[[sha256.Size]byte, *Table](cachedAnswers)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &Cache{measures: m, answers: answers}
}

// Watermark returns how far the warehouse has the system of record.
func (c *Cache) Watermark(ctx context.Context) (Watermark, error) { return c.measures.Watermark(ctx) }

// Nearest is Measures.Nearest.
func (c *Cache) Nearest(ctx context.Context, now Asked, before []Asked) (difference uint64, ok bool, err error) {
	return c.measures.Nearest(ctx, now, before)
}

// Ask answers as Measures.Ask does. The answer is shared: whoever gets it must not change it.
func (c *Cache) Ask(ctx context.Context, code string, q Question) (*Table, error) {
	measure, ok := MeasureByCode(code)
	if !ok {
		return c.measures.Ask(ctx, code, q)
	}
	watermark, fresh, err := c.measures.AwaitLSN(ctx, q.MinLSN, q.Wait)
	if err != nil {
		return nil, err
	}
	q.MinLSN, q.Wait = 0, 0 // it has been waited for
	key, err := questionKey(measure, q, watermark)
	if err != nil {
		return nil, err
	}
	table, known := c.answers.Get(key)
	if !known {
		// Whoever asked first may go away: the others still want the answer, so that its going does not end the work; its time is bounded.
		found, err, _ := c.flights.Do(string(key[:]), func() (any, error) { return c.measures.Ask(context.WithoutCancel(ctx), code, q) })
		if err != nil {
			return nil, err
		}
		table = found.(*Table)
		// An answer that already knows more than the watermark that was looked at belongs to no known state of the data.
		if len(table.N) <= cachedCells && table.Watermark.LSN == watermark.LSN {
			c.answers.Add(key, table)
		}
	}
	answer := *table
	answer.Fresh = fresh
	return &answer, nil
}

// questionKey is a digest of all that an answer depends on: the definition, the question and the version of the data.
func questionKey(m Measure, q Question, w Watermark) (key [sha256.Size]byte, err error) {
	text, err := json.Marshal([]any{m.Code, m.Version, q, w.LSN})
	if err != nil {
		return key, fmt.Errorf("digest of the question: %w", err)
	}
	return sha256.Sum256(text), nil
}
