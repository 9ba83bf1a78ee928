package importer

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func readOpen311(t *testing.T, body string) *File {
	t.Helper()
	f, err := ReadOpen311([]byte(body), "https://city.example/open311/v2/requests.json", testOpt)
	require.NoError(t, err)
	return f
}

func TestReadOpen311(t *testing.T) {
	t.Parallel()
	f := readOpen311(t, `[
	 {"service_request_id": 12, "status": "closed", "status_notes": "Painted over", "service_name": "Graffiti", "service_code": "049",
	  "description": null, "requested_datetime": "2025-06-01T10:00:00+02:00", "updated_datetime": "2025-06-03 09:00:00",
	  "expected_datetime": "2027-01-01", "address": " 1  Main St ", "lat": 48.5, "long": "9.1"},
	 {"service_request_id": "13", "status": "open", "service_name": "Pothole", "requested_datetime": "2025-06-02 13:00:00", "lat": 0, "long": 0.0}]`)
	require.Empty(t, f.Rejects)
	lat, lon := 48.5, 9.1
	due := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	got := f.Records[0]
	require.True(t, got.ReceivedAt.Equal(time.Date(2025, 6, 1, 8, 0, 0, 0, time.UTC)))
	got.ReceivedAt = time.Time{}
	require.Equal(t, Record{
		Source: "open311:city.example", ExternalID: "12", Line: 1, Subject: "Graffiti", Channel: "OPEN311", Kind: Help,
		ReceivedPrecision: Second, Closed: true, DueAt: &due, Address: "1 Main St",
		Reply:        &Reply{Text: "Painted over", At: time.Date(2025, 6, 3, 9, 0, 0, 0, time.UTC), Precision: Second},
		CategoryPath: []string{"Graffiti"}, CategoryCode: "049", Lat: &lat, Lon: &lon,
	}, got)
	require.Nil(t, f.Records[1].Lat, "0, 0 is a missing place")
	require.Nil(t, f.Records[1].Reply)
	require.Equal(t, time.Date(2025, 6, 3, 9, 0, 0, 0, time.UTC), f.ObservedUntil)
}

func TestReadOpen311XML(t *testing.T) {
	t.Parallel()
	f := readOpen311(t, `<?xml version="1.0" encoding="utf-8"?><service_requests>
	 <request><service_request_id>7</service_request_id><status>open</status><service_name>Tree &amp; root</service_name>
	 <requested_datetime>2025-06-01T18:00:00Z</requested_datetime><lat/><long/></request>
	 <request><status>open</status></request></service_requests>`)
	require.Equal(t, []string{"7"}, ids(f))
	require.Equal(t, []string{"Tree & root"}, f.Records[0].CategoryPath)
	require.Len(t, f.Rejects, 1)
	require.Equal(t, 2, f.Rejects[0].Line)
}

// A clock without AM/PM: the half day is not known, and no closing may precede its request.
func TestTwelveHourClock(t *testing.T) {
	t.Parallel()
	const pair = `[{"service_request_id":1,"status":"closed","service_name":"x","requested_datetime":"2025-06-01 11:30:00","updated_datetime":"2025-06-01 04:06:00"}`
	f := readOpen311(t, pair+`]`)
	require.Empty(t, f.Rejects)
	r := f.Records[0]
	require.Equal(t, Day, r.ReceivedPrecision)
	require.Equal(t, Day, r.Reply.Precision)
	require.Equal(t, r.ReceivedAt, r.Reply.At)

	f = readOpen311(t, pair+`,{"service_request_id":2,"status":"open","service_name":"x","requested_datetime":"2025-06-01 15:00:00"}]`)
	require.Equal(t, []string{"2"}, ids(f), "another time proves a clock of 24 hours")
	require.Equal(t, "updated_datetime", f.Rejects[0].Field)
	require.Equal(t, Second, f.Records[0].ReceivedPrecision)
}

func TestReadOpen311Rejects(t *testing.T) {
	t.Parallel()
	for item, want := range map[string]string{
		`null`:                      "not a service request",
		`7`:                         "not a service request",
		`{"service_request_id":{}}`: "not a service request",
		`{"status":"open","service_name":"x","requested_datetime":"2025-06-01"}`:                                                    "service_request_id",
		`{"service_request_id":1,"status":"odd","service_name":"x","requested_datetime":"2025-06-01"}`:                              `expected "open" or "closed"`,
		`{"service_request_id":1,"status":"open","service_name":"x","requested_datetime":"soon"}`:                                   "unreadable time",
		`{"service_request_id":1,"status":"open","service_name":"x","requested_datetime":"2025-06-01","expected_datetime":"soon"}`:  "unreadable time",
		`{"service_request_id":1,"status":"open","requested_datetime":"2025-06-01"}`:                                                "nothing was asked",
		`{"service_request_id":1,"status":"open","service_name":"x","requested_datetime":"2025-06-01","lat":"91","long":1}`:         "-90 to 90",
		`{"service_request_id":1,"status":"open","service_name":"x","requested_datetime":"2025-06-01","lat":"1","long":"NaN"}`:      "-180 to 180",
		`{"service_request_id":9,"status":"open","service_name":"other","requested_datetime":"2025-06-01"}`:                         "earlier in the file",
		`{"service_request_id":1,"status":"open","service_name":"a\u0000b","requested_datetime":"2025-06-01"}`:                      "NUL",
		`{"service_request_id":1,"status":"closed","service_name":"x","requested_datetime":"2025-06-01","updated_datetime":"2025"}`: "unreadable time",
	} {
		f := readOpen311(t, `[{"service_request_id":9,"status":"open","service_name":"x","requested_datetime":"2025-06-01 13:00"},`+item+`]`)
		require.Equal(t, []string{"9"}, ids(f), item)
		require.Len(t, f.Rejects, 1, item)
		require.Equal(t, 2, f.Rejects[0].Line)
		require.Contains(t, f.Rejects[0].Field+" "+f.Rejects[0].Reason, want)
	}
	for _, body := range []string{"", "null", "{}", "<html></html>", "[\xff]"} {
		_, err := ReadOpen311([]byte(body), "x.json", testOpt)
		require.ErrorContains(t, err, "read Open311 x.json", body)
	}
}

func TestSourceName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"https://city.example:8443/v2/requests.json?status=open": "city.example:8443",
		"dir/requests.json":        "requests",
		`C:\exports\requests.json`: "requests",
	} {
		require.Equal(t, want, sourceName(name))
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/requests.json" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("[12345]"))
	}))
	t.Cleanup(server.Close)
	ctx := context.Background()

	data, err := Load(ctx, server.URL+"/requests.json", 0)
	require.NoError(t, err)
	require.Equal(t, "[12345]", string(data))
	_, err = Load(ctx, server.URL+"/requests.json", 6)
	require.ErrorContains(t, err, "larger than 6 bytes")
	_, err = Load(ctx, server.URL+"/other", 0)
	require.ErrorContains(t, err, "the server answered 404 Not Found")
	_, err = Load(ctx, "http://127.0.0.1:1/requests.json", 0)
	require.ErrorContains(t, err, "check the address")

	path := filepath.Join(t.TempDir(), "a.json")
	require.NoError(t, os.WriteFile(path, []byte("[]"), 0o600))
	data, err = Load(ctx, path, 2)
	require.NoError(t, err)
	require.Equal(t, "[]", string(data))
	_, err = Load(ctx, path+".gone", 0)
	require.ErrorContains(t, err, "readable file")

	done, cancel := context.WithCancel(ctx)
	cancel()
	_, err = Load(done, server.URL+"/requests.json", 0)
	require.ErrorIs(t, err, context.Canceled)
}
