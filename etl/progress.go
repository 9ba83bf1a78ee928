package etl

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// LoadProgress is how far a load or a rebuild has come.
type LoadProgress struct {
	Tables     int
	TablesDone int
	Rows       int64
	Bytes      int64 // of the tables in Postgres
	BytesDone  int64 // of these, in ranges that the warehouse has
	Started    time.Time
}

// Rate is rows a second since the start.
func (p LoadProgress) Rate(now time.Time) float64 {
	if took := now.Sub(p.Started).Seconds(); took > 0 {
		return float64(p.Rows) / took
	}
	return 0
}

// Left estimates the time to go from the bytes that are done; ok is false while that says nothing.
func (p LoadProgress) Left(now time.Time) (left time.Duration, ok bool) {
	if p.BytesDone <= 0 || p.BytesDone > p.Bytes {
		return 0, false
	}
	return time.Duration(float64(now.Sub(p.Started)) * float64(p.Bytes-p.BytesDone) / float64(p.BytesDone)), true
}

// logEvery is how often a load tells the log how far it is.
const logEvery = 2 * time.Second

// progress adds up what the connections of a backfill do, and tells it.
type progress struct {
	mu     sync.Mutex
	now    LoadProgress
	logged time.Time
}

func (p *progress) begin(b *backfill) {
	p.change(b, func(l *LoadProgress) {
		*l = LoadProgress{Tables: len(b.copies), Started: b.session.cfg.Now()}
		for _, t := range b.copies {
			l.Bytes += t.extent.bytes
		}
	})
	p.logged = time.Now()
}

func (p *progress) end(b *backfill) {
	b.session.tracker.update(func(st *Status) { st.Load = nil })
}

func (p *progress) rows(b *backfill, n int64) {
	p.change(b, func(l *LoadProgress) { l.Rows += n })
	b.session.tracker.update(func(st *Status) { st.Rows += n })
}

func (p *progress) chunk(b *backfill, bytes int64) {
	p.change(b, func(l *LoadProgress) { l.BytesDone += bytes })
}

func (p *progress) table(b *backfill) { p.change(b, func(l *LoadProgress) { l.TablesDone++ }) }

func (p *progress) change(b *backfill, f func(*LoadProgress)) {
	p.mu.Lock()
	f(&p.now)
	now, tell := p.now, time.Since(p.logged) > logEvery && !p.logged.IsZero()
	if tell {
		p.logged = time.Now()
	}
	p.mu.Unlock()
	b.session.tracker.update(func(st *Status) { st.Load = &now })
	if !tell {
		return
	}
	at := b.session.cfg.Now()
	attrs := []slog.Attr{slog.Int64("rows", now.Rows), slog.Float64("rows_per_second", now.Rate(at)), slog.Int("tables_done", now.TablesDone), slog.Int("tables", now.Tables)}
	if left, ok := now.Left(at); ok {
		attrs = append(attrs, slog.Int64("percent", now.BytesDone*100/max(1, now.Bytes)), slog.Duration("left", left.Round(time.Second)))
	}
	b.session.log.LogAttrs(context.Background(), slog.LevelInfo, b.state, attrs...)
}
