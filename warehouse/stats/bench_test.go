package stats

import "testing"

// manyTimes is a life table of 100,000 distinct times with all causes.
func manyTimes() []LifeRow {
	rows := make([]LifeRow, 100_000)
	for i := range rows {
		rows[i] = row(float64(i)/1000, float64(i%5), float64(i%3), float64(i%2), 1, float64(i%7))
	}
	return rows
}

func BenchmarkFit100kTimes(b *testing.B) {
	rows := manyTimes()
	b.ReportAllocs()
	for b.Loop() {
		mustFit(b, rows)
	}
}

func BenchmarkAnswers100kTimes(b *testing.B) {
	c := mustFit(b, manyTimes())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Quantile(0.9); err != nil {
			b.Fatal(err)
		}
		if _, err := c.RMST(90); err != nil {
			b.Fatal(err)
		}
		if _, err := c.CIF(Confirmed, 60); err != nil {
			b.Fatal(err)
		}
	}
}
