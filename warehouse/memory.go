package warehouse

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// memory keeps what answers read again and again of tables that seldom change: regions with their people, names, what touches what, and where the base stands. Each
// is kept for as long as the tables that it was read of do not change.
type memory = lru.Cache[string, kept]

// kept is what was read, and the versions of its tables from before.
type kept struct {
	versions []uint64
	value    any
}

const (
	keptThings = 256
	keptNames  = 5_000 // an answer with more regions has their names read again
)

func newMemory() *memory {
	m, err := lru.New[string, kept](keptThings)
	if err != nil {
		panic(err) // the size is a constant
	}
	return m
}

type stateKey struct{}

// at gives an answer the state of the warehouse that all its statements go by, unless it has one.
func (m *Measures) at(ctx context.Context, minLSN uint64, wait time.Duration) (context.Context, error) {
	if _, has := ctx.Value(stateKey{}).(state); has {
		return ctx, nil
	}
	if minLSN > 0 {
		if _, _, err := m.AwaitLSN(ctx, minLSN, wait); err != nil {
			return ctx, err
		}
	}
	s, err := m.state(ctx)
	return s.in(ctx), err
}

// in is a context whose answers go by the state.
func (s state) in(ctx context.Context) context.Context { return context.WithValue(ctx, stateKey{}, s) }

// await is the watermark that an answer goes by, and whether it has what the question waits for.
func (m *Measures) await(ctx context.Context, q Query) (Watermark, bool, error) {
	if s, has := ctx.Value(stateKey{}).(state); has {
		return s.watermark, s.watermark.LSN >= q.MinLSN, nil
	}
	return m.AwaitLSN(ctx, q.MinLSN, q.Wait)
}

// recall returns what read finds in the tables, or found when they were last as they are now. Whoever gets it must not change it.
func recall[T any](ctx context.Context, m *Measures, what string, tables []string, read func() (T, error)) (T, error) {
	s, has := ctx.Value(stateKey{}).(state)
	if !has {
		return read()
	}
	versions := make([]uint64, len(tables))
	for i, table := range tables {
		versions[i] = s.versions[table]
	}
	if known, has := m.memory.Get(what); has && slices.Equal(known.versions, versions) {
		noteTables(ctx, strings.Join(tables, " "))
		return known.value.(T), nil
	}
	value, err := read()
	if err == nil {
		m.memory.Add(what, kept{versions, value})
	}
	return value, err
}

// digest names what was read of many keys.
func digest(keys []string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(keys, "\x00"))))
}
