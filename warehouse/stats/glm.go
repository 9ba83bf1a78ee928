package stats

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// regression is a quasi-Poisson regression with log link over weeks.
type regression struct {
	y      []float64
	x      [][]float64
	origin int // the week that time counts from
	trend  bool
	levels int // of the season beyond the first
	season func(week int) int
}

// seasonLevels is into how many parts the year outside of the window is cut
// (surveillance's noPeriods = 10, the window itself being the first).
const seasonLevels = 10

// farringtonDesign takes as data all weeks of the last years but the last ones,
// the season being told by the place in the year relative to now.
func farringtonDesign(weeks []float64, now int) *regression {
	first := max(0, now-farringtonBack*weeksOfYear-halfWindow)
	d := &regression{origin: first, trend: true, season: func(week int) int {
		away := ((now-week)%weeksOfYear + weeksOfYear) % weeksOfYear
		if away <= halfWindow || weeksOfYear-away <= halfWindow {
			return 0
		}
		return 1 + (away-halfWindow-1)*(seasonLevels-1)/(weeksOfYear-2*halfWindow-1)
	}, levels: seasonLevels - 1}
	for week := first; week < now-leftOut; week++ {
		d.y = append(d.y, weeks[week])
		d.x = append(d.x, nil)
	}
	for i := range d.x {
		d.x[i] = d.row(first + i)
	}
	return d
}

func (d *regression) row(week int) []float64 {
	row := make([]float64, 2+d.levels)
	row[0] = 1
	if d.trend {
		row[1] = float64(week-d.origin) / weeksOfYear
	}
	if s := d.season(week); s > 0 {
		row[1+s] = 1
	}
	return row
}

// fitted are the coefficients, and how much more the data vary than Poisson.
type fitted struct {
	beta       []float64
	dispersion float64
	mu         []float64
	leverage   []float64
}

func (f *fitted) predict(row []float64) float64 {
	eta := 0.0
	for j, v := range row {
		eta += v * f.beta[j]
	}
	return math.Exp(eta)
}

// fitRobustly fits, gives past outbreaks less weight by their Anscombe residuals,
// fits again, and drops a trend that would forecast more than was ever seen.
func (d *regression) fitRobustly() (*fitted, error) {
	ones := make([]float64, len(d.y))
	for i := range ones {
		ones[i] = 1
	}
	f, err := d.fit(ones)
	if err != nil {
		return nil, err
	}
	if f, err = d.fit(d.weights(f)); err != nil {
		return nil, err
	}
	highest := 0.0
	for _, v := range d.y {
		highest = math.Max(highest, v)
	}
	if d.trend && f.predict(d.row(d.origin+len(d.y)+leftOut)) > highest {
		d.trend = false
		for i := range d.x {
			d.x[i] = d.row(d.origin + i)
		}
		return d.fitRobustly()
	}
	return f, nil
}

// weights are 1, and less for weeks whose standardised Anscombe residual is above
// the outlier limit; their mean is 1.
func (d *regression) weights(f *fitted) []float64 {
	w, sum := make([]float64, len(d.y)), 0.0
	for i, y := range d.y {
		r := 1.5 * (math.Pow(y, 2.0/3) - math.Pow(f.mu[i], 2.0/3)) / (math.Pow(f.mu[i], 1.0/6) * math.Sqrt(f.dispersion*math.Max(1e-9, 1-f.leverage[i])))
		w[i] = 1
		if r > outlier {
			w[i] = 1 / (r * r)
		}
		sum += w[i]
	}
	for i := range w {
		w[i] *= float64(len(w)) / sum
	}
	return w
}

// fit is iteratively reweighted least squares.
func (d *regression) fit(prior []float64) (*fitted, error) {
	n, p := len(d.y), len(d.x[0])
	f := &fitted{beta: make([]float64, p), mu: make([]float64, n), leverage: make([]float64, n)}
	for i, y := range d.y {
		f.mu[i] = y + 0.1
	}
	var inverse mat.Dense
	before := math.Inf(1)
	for range 50 {
		if err := d.solve(f, prior, &inverse); err != nil {
			return nil, err
		}
		deviance := 0.0
		for i, y := range d.y {
			f.mu[i] = math.Max(1e-10, f.predict(d.x[i]))
			deviance += prior[i] * 2 * (xLogY(y, y/f.mu[i]) - (y - f.mu[i]))
		}
		if math.Abs(before-deviance) < 1e-9*(math.Abs(deviance)+0.1) {
			break
		}
		before = deviance
	}
	d.finish(f, prior, &inverse)
	return f, nil
}

func xLogY(x, y float64) float64 {
	if x == 0 {
		return 0
	}
	return x * math.Log(y)
}

// solve does one step: β = (XᵀWX)⁻¹ XᵀWz. A season never seen, or no trend, has a
// column of zeros: a trace of ridge keeps its coefficient at 0.
func (d *regression) solve(f *fitted, prior []float64, inverse *mat.Dense) error {
	p := len(f.beta)
	xtwx, xtwz := mat.NewDense(p, p, nil), mat.NewVecDense(p, nil)
	for i, row := range d.x {
		w := prior[i] * f.mu[i]
		z := math.Log(f.mu[i]) + (d.y[i]-f.mu[i])/f.mu[i]
		for a, va := range row {
			if va == 0 {
				continue
			}
			xtwz.SetVec(a, xtwz.AtVec(a)+w*va*z)
			for b, vb := range row {
				xtwx.Set(a, b, xtwx.At(a, b)+w*va*vb)
			}
		}
	}
	for a := range p {
		if xtwx.At(a, a) == 0 {
			xtwx.Set(a, a, 1)
		}
	}
	inverse.Reset()
	if err := inverse.Inverse(xtwx); err != nil {
		if _, poor := errors.AsType[mat.Condition](err); !poor {
			return err
		}
	}
	var beta mat.VecDense
	beta.MulVec(inverse, xtwz)
	copy(f.beta, beta.RawVector().Data)
	return nil
}

// finish computes leverages and the dispersion, which is at least 1.
func (d *regression) finish(f *fitted, prior []float64, inverse *mat.Dense) {
	pearson, used := 0.0, 0
	for a := range f.beta {
		if f.beta[a] != 0 {
			used++
		}
	}
	for i, row := range d.x {
		for a, va := range row {
			for b, vb := range row {
				f.leverage[i] += va * vb * inverse.At(a, b) * prior[i] * f.mu[i]
			}
		}
		pearson += prior[i] * (d.y[i] - f.mu[i]) * (d.y[i] - f.mu[i]) / f.mu[i]
	}
	f.dispersion = math.Max(1, pearson/math.Max(1, float64(len(d.y)-used)))
}
