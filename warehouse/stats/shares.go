package stats

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// The names of the methods of [SharePrior.Shrink].
const (
	MethodShrunkShare   = "empirical Bayes share, beta posterior"
	MethodNoShareSignal = "empirical Bayes share, no signal between people"
)

// Counted is X of N cases.
type Counted struct{ X, N float64 }

// SharePrior is what is known of a share before anything is known of one person: how it is distributed over all.
type SharePrior struct {
	// Mu is the share among all, Sigma2 the variance between people beyond what chance alone gives.
	Mu, Sigma2 float64
	// Size is how many cases the prior is worth: α + β of its beta distribution.
	Size float64
	// NoSignal: people differ no more than chance explains, so that nothing is known of one that is not known of all.
	NoSignal bool
}

// SharesOf estimates the prior from all people by moments: with p the shares, μ = ΣX/ΣN and N̄ the mean N, the weighted variance ΣN(p−μ)²/ΣN is in expectation
// σ² + (μ(1−μ) − σ²)/N̄ (the form for shares of Marshall's for rates, measures F1, F3, F4 and F7 of posts). Who has no case tells nothing.
func SharesOf(all []Counted) (SharePrior, error) {
	var p SharePrior
	var x, n, people float64
	for i, s := range all {
		if err := errors.Join(checkCount(fmt.Sprintf("share %d: X", i), s.X), checkCount(fmt.Sprintf("share %d: N", i), s.N)); err != nil {
			return p, err
		}
		if s.X > s.N {
			return p, fmt.Errorf("stats: share %d is %v of %v; count the part among the whole", i, s.X, s.N)
		}
		if s.N > 0 {
			x, n, people = x+s.X, n+s.N, people+1
		}
	}
	p.NoSignal = true
	if n == 0 {
		return p, nil
	}
	p.Mu = x / n
	spread, mean := 0.0, n/people
	for _, s := range all {
		if s.N > 0 {
			d := s.X/s.N - p.Mu
			spread += s.N * d * d / n
		}
	}
	chance := p.Mu * (1 - p.Mu)
	if mean > 1 {
		p.Sigma2 = math.Max(0, (spread-chance/mean)/(1-1/mean))
	}
	if p.Sigma2 > 0 {
		p.NoSignal = false
		p.Size = math.Max(1, chance/p.Sigma2-1) // people who are all or nothing leave a prior of one case
	}
	return p, nil
}

// Shrink is one person's share, drawn towards that of all by how little is known of that person: the mean of the beta posterior, which is w·X/N + (1−w)·μ with w = N/(N+Size), and its
// middle 95 %. Without a signal it is μ, without an interval. A share of nothing is unknown.
func (p SharePrior) Shrink(s Counted) Estimate {
	e := newEstimate(s.N, MethodShrunkShare)
	if s.N == 0 {
		return e
	}
	e.Known = true
	if p.NoSignal {
		e.Value, e.Method = p.Mu, MethodNoShareSignal
		return e
	}
	a, b := s.X+p.Size*p.Mu, s.N-s.X+p.Size*(1-p.Mu)
	e.Value = a / (a + b)
	e.SE = math.Sqrt(e.Value * (1 - e.Value) / (a + b + 1))
	tail := (1 - Level) / 2
	e.Interval = Interval{Lo: mathext.InvRegIncBeta(a, b, tail), Hi: mathext.InvRegIncBeta(a, b, 1-tail), OK: true}
	return e
}
