package simulate

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/google/uuid"
)

// stream separates the random numbers of one kind of thing from those of others.
type stream uint64

const (
	streamWorld stream = iota + 1
	streamPlants
	streamVisit
	streamIssue
	streamText
	streamLife
	streamPlan
	streamTurn
	streamCheck
	streamCompany
	streamPolicy
	streamCampaign
)

// chance is a source of random numbers for one thing.
type chance struct{ *rand.Rand }

// chanceOf is the same for the same seed, stream and number, and unrelated to any other.
func chanceOf(seed uint64, s stream, n uint64) chance {
	return chance{rand.New(rand.NewPCG(mix(seed^uint64(s)<<56), mix(n+uint64(s))))}
}

// mix scatters the bits of x (SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// id is a UUIDv7 of the time whose other bits are drawn.
func (c chance) id(at time.Time) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|c.Uint64()&0xFFFF)
	binary.BigEndian.PutUint64(id[8:], c.Uint64())
	id[6] = id[6]&0x0F | 0x70
	id[8] = id[8]&0x3F | 0x80
	return id
}

func (c chance) happens(probability float64) bool { return c.Float64() < probability }

// around draws a log-normal factor with median 1.
func (c chance) around(sigma float64) float64 { return math.Exp(sigma * c.NormFloat64()) }

// span draws a time from one to the other, uniformly.
func (c chance) span(from, to time.Duration) time.Duration {
	return from + time.Duration(c.Float64()*float64(to-from))
}

// wait draws a log-normal duration.
func (c chance) wait(median time.Duration, sigma float64) time.Duration {
	return time.Duration(float64(median) * c.around(sigma))
}

func pick[T any](c chance, items []T) T { return items[c.IntN(len(items))] }

// weighted draws an index with the probabilities whose running sums are given.
func weighted(c chance, sums []float64) int { return find(sums, c.Float64()*sums[len(sums)-1]) }

// find returns the first index whose running sum exceeds x.
func find(sums []float64, x float64) int {
	return min(sort.Search(len(sums), func(i int) bool { return sums[i] > x }), len(sums)-1)
}

func runningSums(weights []float64) []float64 {
	sums, total := make([]float64, len(weights)), 0.0
	for i, w := range weights {
		total += w
		sums[i] = total
	}
	return sums
}
