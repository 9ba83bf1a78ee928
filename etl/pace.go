package etl

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

// pace says how long changes are gathered before they are stored. A warehouse that is slow to take them, or that has many parts to merge,
// gets fewer and larger inserts: the other way round each flush would make the next one slower.
type pace struct {
	shortest time.Duration // what was configured
	parts    *atomic.Int64 // in the fullest partition
	recent   [9]time.Duration
	n        int
	median   time.Duration // of these
}

// Storing takes the processors away from the source, so it is done seldom: an eighth of the time, as long as what is stored is fresh by that,
// and a third of it at most.
const (
	seldom      = 8
	fresh       = 300 * time.Millisecond
	often       = 2
	longestPace = 5 * time.Second // however slow the warehouse is
	backlog     = 64 << 20        // unread bytes from which nothing is fresh, and larger pieces are sooner done
	backlogPace = 2 * time.Second
	manyParts   = 300 // ClickHouse begins to delay inserts at 1,000 parts in a partition and refuses them at 3,000
)

// took notes how long it took to store a batch and its checkpoint.
func (p *pace) took(d time.Duration) {
	p.recent[p.n%len(p.recent)] = d
	p.n++
	known := slices.Clone(p.recent[:min(p.n, len(p.recent))])
	slices.Sort(known)
	p.median = known[len(known)/2]
}

// interval is the time between two checkpoints while changes flow and so many bytes of WAL are known that are not read yet: eight times what storing takes in the median, as far as that is 300 ms, or
// twice what it takes, if that is more; 2 s at least with a backlog; between what was configured and 5 s, and doubled while there are many parts.
func (p *pace) interval(unread int64) time.Duration {
	if p.shortest >= longestPace {
		return p.shortest
	}
	d := min(max(p.shortest, min(seldom*p.median, fresh), often*p.median), longestPace)
	if unread > backlog {
		d = max(d, backlogPace)
	}
	if p.parts.Load() > manyParts {
		d *= 2
	}
	return d
}

// watchPartsEvery keeps the look at the parts cheap.
const watchPartsEvery = 5 * time.Second

// watchParts looks how many parts the fullest partition has.
func (s *session) watchParts(ctx context.Context) {
	if time.Since(s.looked) < watchPartsEvery {
		return
	}
	s.looked = time.Now()
	var n uint64
	err := s.cfg.ClickHouse.QueryRow(ctx, `SELECT max(n) FROM (SELECT count() AS n FROM system.parts
		WHERE active AND database = currentDatabase() GROUP BY table, partition)`).Scan(&n)
	if err != nil {
		return // the next insert meets the same error and handles it
	}
	if before := s.parts.Swap(int64(n)); n > manyParts && before <= manyParts {
		s.log.WarnContext(ctx, "the warehouse is behind with merging; changes are stored less often", slog.Uint64("parts", n))
	}
}
