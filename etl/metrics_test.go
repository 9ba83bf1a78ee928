package etl

import (
	"bufio"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"
)

// scrape reads the figures as Prometheus does, by their name with labels, the slot's left out.
func scrape(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	require.Equal(t, 200, answer.Code, answer.Body)
	figures := map[string]float64{}
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "} ")
		if strings.HasPrefix(name, "#") {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		require.NoError(t, err, lines.Text())
		before, labels, _ := strings.Cut(name, "{")
		var others []string
		for label := range strings.SplitSeq(labels, ",") {
			if !strings.HasPrefix(label, "slot=") {
				others = append(others, label)
			}
		}
		figures[strings.TrimPrefix(before, "groundwork_etl_")+"{"+strings.Join(others, ",")+"}"] = v
	}
	return figures
}

func TestMetricsTellWhatTheReplicatorDoes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	r.exec("ANALYZE")
	registry, idle := prometheus.NewRegistry(), prometheus.NewRegistry()
	run := r.start(func(c *Config) { c.Metrics, c.ControlInterval = registry, 20*time.Millisecond })
	run.catchUp()
	loaded := scrape(t, registry)
	require.Positive(t, loaded["load_rows{}"])
	require.InDelta(t, loaded["load_rows{}"], loaded["load_expected_rows{}"], 1, "the tables were analysed before")
	require.Equal(t, loaded["load_rows{}"], loaded[`rows_total{source="load"}`])
	require.EqualValues(t, 1, loaded["loads_total{}"])

	standby := r.start(func(c *Config) { c.Metrics = idle })
	standby.await(func(s Status) bool { return s.State == StateStandby })
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 300) i`)
	r.exec(`UPDATE org_unit SET name = name || '.' WHERE name LIKE 'u%'`)
	r.exec(`DELETE FROM org_unit WHERE name LIKE 'u%'`)
	r.exec(`UPDATE opinion SET occurred_at = 'infinity' WHERE id = '00000000-0000-7000-8000-000000000071'`)
	run.catchUp()
	run.await(func(s Status) bool { return s.DeadRows == 1 && s.BehindBytes == 0 && s.Slot.Active })
	f := scrape(t, registry)
	for name, want := range map[string]float64{
		`state{state="streaming"}`: 1, `state{state="standby"}`: 0, "active{}": 1, "lag_bytes{}": 0, "lag_seconds{}": 0, "dead_rows{}": 1, "dead_rows_total{}": 1,
		`changes_total{operation="insert"}`: 300, `changes_total{operation="update"}`: 301, `changes_total{operation="delete"}`: 300,
		`rows_total{source="stream"}`: 901, "slot_exists{}": 1, "slot_active{}": 1, `slot_wal_status{status="reserved"}`: 1, "slot_limit_bytes{}": 16 << 30,
		"sessions_total{}": 1, "gaps_total{}": 0, "batch_rows_sum{}": 901,
	} {
		require.Contains(t, f, name)
		require.InDelta(t, want, f[name], 0, name)
	}
	require.GreaterOrEqual(t, f["transactions_total{}"], 4.0)
	require.Equal(t, f[`bytes_total{source="stream"}`], f["batch_bytes_sum{}"])
	require.Greater(t, f["received_bytes_total{}"], 901.0*16)
	require.Positive(t, f["commit_to_visible_seconds_count{}"])
	require.InDelta(t, float64(time.Now().Unix()), f["watermark_seconds{}"], patience.Seconds())
	for _, stage := range []string{stageReceive, stageDecode, stageInsert, stageCheckpoint, stageAck} {
		require.Positive(t, f[`stage_seconds_count{stage="`+stage+`"}`], stage)
		require.Positive(t, f[`stage_seconds_sum{stage="`+stage+`"}`], stage)
	}

	waiting := scrape(t, idle)
	require.EqualValues(t, 1, waiting[`state{state="standby"}`])
	require.Zero(t, waiting["active{}"])
	require.NotEqual(t, waiting["lag_bytes{}"], waiting["lag_bytes{}"], "NaN: a standby does not know")
	run.stop()
	standby.await(func(s Status) bool { return s.State == StateStreaming })
	require.EqualValues(t, 1, scrape(t, idle)["active{}"])
	require.EqualValues(t, 1, scrape(t, registry)[`state{state="stopped"}`])
}
