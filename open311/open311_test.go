package open311_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/internal/importer"
)

func TestServices(t *testing.T) {
	t.Parallel()
	b := setup(t)

	response, body := b.get("/v2/services.json")
	require.Equal(t, "application/json; charset=utf-8", response.Header.Get("Content-Type"))
	var services []map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &services))
	require.Len(t, services, 2, "leaves that are valid today: no parent, nothing that has ended")
	require.Equal(t, map[string]any{
		"service_code": "0202", "service_name": "道路 & 井盖", "description": "城乡建设 / 道路 & 井盖", "metadata": true, "type": "realtime",
		"keywords": "城乡建设,道路 & 井盖", "group": "城乡建设",
	}, services[1])

	response, body = b.get("/v2/services.xml?jurisdiction_id=990100000000")
	require.Equal(t, "text/xml; charset=utf-8", response.Header.Get("Content-Type"))
	require.True(t, strings.HasPrefix(body, lines(`<?xml version="1.0" encoding="UTF-8"?>`, "<services><service><service_code>0201</service_code>")), body)
	require.Contains(t, body, "<service_name>道路 &amp; 井盖</service_name>")

	_, definition := b.get("/v2/services/0201.xml")
	require.Contains(t, definition, "<service_definition><service_code>0201</service_code><attributes><attribute><variable>true</variable><code>kind</code>")
	_, definition = b.get("/v2/services/0201.json")
	var defined struct {
		Attributes []struct {
			Code   string
			Order  int
			Values []struct{ Key, Name string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(definition), &defined))
	require.Equal(t, "confidentiality", defined.Attributes[1].Code)
	require.Equal(t, 2, defined.Attributes[1].Order)
	require.Equal(t, "NAME_HIDDEN", defined.Attributes[1].Values[1].Key)

	_, found := b.get("/discovery.xml")
	require.Contains(t, found, "<specification>http://wiki.open311.org/GeoReport_v2</specification><url>"+b.url+"/v2</url>")
	_, found = b.get("/discovery.json")
	require.Contains(t, found, `"formats":["text/xml","application/json"]`)
}

func TestFormat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for accept, want := range map[string]string{
		"": "text/xml", "*/*": "text/xml", "application/json": "application/json",
		"application/xml, application/json;q=0.5": "text/xml", "application/json, text/xml;q=0.9": "application/json",
	} {
		request, err := http.NewRequest(http.MethodGet, b.url+"/v2/services", nil)
		require.NoError(t, err)
		request.Header.Set("Accept", accept)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, want+"; charset=utf-8", response.Header.Get("Content-Type"), accept)
	}
}

// A request is filed, followed in both formats, and does not say more than the public may know.
func TestFileAndFollow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.file(map[string]string{
		"jurisdiction_id": "990100000000", "attribute[confidentiality]": "PUBLIC", "address_string": "中山路 5 号", "attribute[kind]": "COMPLAINT",
		"media_url": "https://photos.example.org/1.jpg", "email": "reporter@example.org", "first_name": "Mei", "last_name": "Li",
	})
	require.Regexp(t, `^GW-[0-9A-Z]{7}$`, ref)

	issue, err := b.db.IssueByRef(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, groundwork.Registered, issue.State)
	require.Equal(t, b.region.ID, *issue.RegionID)
	of, err := b.db.OpinionsOf(t.Context(), []uuid.UUID{issue.ID}, 10)
	require.NoError(t, err)
	opinion := of[issue.ID][0]
	require.Equal(t, "open311:city-app", opinion.Source)
	require.Equal(t, groundwork.ChannelOpen311, opinion.Channel)
	require.Equal(t, groundwork.Complaint, opinion.Kind)
	require.Equal(t, "路灯坏了\n一个月\n\n-- \nAddress: 中山路 5 号\nMedia: https://photos.example.org/1.jpg\n", opinion.Text, "who handles it needs the address")
	require.Equal(t, 28.2345678, *opinion.Latitude)
	key, ok := groundwork.SecretKey("key of the secrets").ReporterKey("open311:city-app", "email:reporter@example.org")
	require.True(t, ok)
	require.Regexp(t, "^hmac:[0-9a-f]{64}$", key)
	require.Equal(t, key, scalar[string](b, "SELECT external_key FROM vault.reporter WHERE pid = $1", *opinion.ReporterPID), "never in clear")

	list := b.requests("")
	require.Len(t, list, 1)
	r := list[0]
	require.Equal(t, ref, r["service_request_id"])
	require.Equal(t, "open", r["status"])
	require.Equal(t, "REGISTERED: waits for the office in charge.", r["status_notes"])
	require.Equal(t, "路灯坏了\n一个月", r["description"], "without address and photo")
	require.Equal(t, "A市, Z省", r["address"])
	require.Equal(t, "2026-11-20T00:00:00+08:00", r["requested_datetime"], "to the day")
	require.Contains(t, r["updated_datetime"], "T00:00:00+08:00")
	require.Nil(t, r["media_url"])
	away := kilometres(28.2345678, 112.9456789, r["lat"].(float64), r["long"].(float64))
	require.Less(t, away, 2.2)
	require.Greater(t, away, 0.0)

	_, body := b.get("/v2/requests/" + ref + ".xml")
	var doc struct {
		XMLName  xml.Name `xml:"service_requests"`
		Requests []struct {
			ID          string  `xml:"service_request_id"`
			Status      string  `xml:"status"`
			Description string  `xml:"description"`
			Code        string  `xml:"service_code"`
			Lat         float64 `xml:"lat"`
			Zipcode     *string `xml:"zipcode"`
		} `xml:"request"`
	}
	require.NoError(t, xml.Unmarshal([]byte(body), &doc))
	require.Len(t, doc.Requests, 1)
	require.Equal(t, []any{ref, "open", "路灯坏了\n一个月", "0201", r["lat"]},
		[]any{doc.Requests[0].ID, doc.Requests[0].Status, doc.Requests[0].Description, doc.Requests[0].Code, doc.Requests[0].Lat}, "XML says what JSON says")
	require.Equal(t, "", *doc.Requests[0].Zipcode, "an empty element, as in the specification's examples")

	_, body = b.get("/v2/tokens/" + opinion.ID.String() + ".json")
	require.JSONEq(t, fmt.Sprintf(`[{"service_request_id": %q, "token": %q}]`, ref, opinion.ID), body)
	_, body = b.get("/v2/tokens/" + opinion.ID.String() + ".xml")
	require.Contains(t, body, "<token>"+opinion.ID.String()+"</token>")
}

// kilometres is the distance of two near points.
func kilometres(lat1, long1, lat2, long2 float64) float64 {
	return math.Hypot(lat2-lat1, (long2-long1)*math.Cos(lat1*math.Pi/180)) * 111.32
}

func TestConfidentialityHolds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	hidden := b.file(map[string]string{"description": "hidden words"})
	confidential := b.file(map[string]string{"description": "secret words", "attribute[confidentiality]": "CONFIDENTIAL"})

	_, all := b.get("/v2/requests.json")
	require.Contains(t, all, hidden)
	require.NotContains(t, all, "hidden words")
	require.NotContains(t, all, confidential)
	require.NotContains(t, all, "secret words")
	for _, path := range []string{"/v2/requests/" + confidential + ".json", "/v2/tokens/" + b.opinionOf(confidential).String() + ".json"} {
		response, body := b.get(path)
		require.Equal(t, http.StatusNotFound, response.StatusCode, body)
	}
	require.Empty(t, b.requests("?service_request_id="+confidential))

	t.Run("one confidential opinion hides the issue", func(t *testing.T) {
		by := groundwork.Actor{ID: "intake", Role: groundwork.RoleIntake}
		later, _, err := b.db.SubmitOpinion(t.Context(), by, groundwork.Opinion{Channel: groundwork.ChannelHotline, Kind: groundwork.Report, Text: "told in confidence", Confidentiality: groundwork.Confidential})
		require.NoError(t, err)
		issue, err := b.db.IssueByRef(t.Context(), hidden)
		require.NoError(t, err)
		_, _, err = b.db.Step(t.Context(), groundwork.Step{IssueID: issue.ID, Kind: groundwork.EventLinked, Actor: groundwork.Actor{ID: "d", Role: groundwork.RoleDispatcher}, OpinionID: &later.ID})
		require.NoError(t, err)
		require.Empty(t, b.requests(""))
	})
}

func (b *bundle) opinionOf(ref string) uuid.UUID {
	return scalar[uuid.UUID](b, "SELECT opinion_id FROM issue_opinion JOIN issue ON id = issue_id WHERE public_ref = $1", ref)
}

// A client that got no answer sends the request again.
func TestRetry(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.file(map[string]string{"attribute[external_id]": "42"})
	require.Equal(t, first, b.file(map[string]string{"external_id": "42"}), "as a field of its own, which some applications send")
	require.Equal(t, 1, scalar[int](b, "SELECT count(*)::int FROM opinion"))
	response, body := b.post("/v2/requests.json", map[string]string{"external_id": "42", "description": "something else"})
	require.Equal(t, http.StatusConflict, response.StatusCode)
	require.Contains(t, body, `external_id \"42\" was used`)
	require.NotEqual(t, first, b.file(map[string]string{"external_id": "43"}))

	t.Run("the same secret", func(t *testing.T) {
		filed := func(id string) (ref, secret string) {
			_, body := b.post("/v2/requests.xml", map[string]string{"external_id": id})
			var doc struct {
				Requests []struct {
					ID     string `xml:"service_request_id"`
					Secret string `xml:"secret"`
				} `xml:"request"`
			}
			require.NoError(t, xml.Unmarshal([]byte(body), &doc), body)
			require.Len(t, doc.Requests, 1)
			return doc.Requests[0].ID, doc.Requests[0].Secret
		}
		ref, secret := filed("44")
		require.Len(t, secret, 26)
		follow := func() uuid.UUID {
			opinion, err := b.db.OpinionBySecret(t.Context(), secret)
			require.NoError(t, err)
			require.NotNil(t, opinion)
			return opinion.ID
		}
		require.Equal(t, b.opinionOf(ref), follow())
		for range 2 { // the second time the receipt is forgotten
			sameRef, sameSecret := filed("44")
			require.Equal(t, []string{ref, secret}, []string{sameRef, sameSecret})
			scalar[int](b, "WITH gone AS (DELETE FROM mutation_receipt WHERE client_mutation_id = '44' RETURNING 1) SELECT count(*)::int FROM gone")
		}
		_, other := filed("45")
		require.NotEqual(t, secret, other)
	})
	t.Run("at once", func(t *testing.T) {
		refs := make(chan string, 8)
		for range cap(refs) {
			go func() {
				response, body := b.post("/v2/requests.json", map[string]string{"external_id": "race"})
				if response.StatusCode != http.StatusOK {
					body = "refused: " + body
				}
				refs <- body
			}()
		}
		one := <-refs
		for range cap(refs) - 1 {
			require.Equal(t, one, <-refs)
		}
		require.NotContains(t, one, "refused")
		require.Equal(t, 1, scalar[int](b, "SELECT count(*)::int FROM opinion WHERE external_id = 'race'"))
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	by := groundwork.Actor{ID: "admin", Role: groundwork.RoleSystem}
	expired := groundwork.NewKey()
	scalar[int](b, `INSERT INTO api_key (id, account, digest, scopes, created_at, expires_at) VALUES (gen_random_uuid(), 'old', $1, '{OPEN311}', '2025-01-01', '2025-06-01') RETURNING 1`, groundwork.KeyDigest(expired))
	record, revoked, err := b.db.CreateAPIKey(t.Context(), by, groundwork.APIKey{Account: "gone", Scopes: []groundwork.APIScope{groundwork.ScopeOpen311}})
	require.NoError(t, err)
	_, err = b.db.RevokeAPIKey(t.Context(), by, record.ID)
	require.NoError(t, err)

	for name, c := range map[string]struct {
		fields map[string]string
		status int
		says   string
	}{
		"no key":                {map[string]string{"api_key": ""}, 403, "api_key was not provided"},
		"unknown key":           {map[string]string{"api_key": "gwk_x"}, 403, "unknown"},
		"expired key":           {map[string]string{"api_key": expired}, 403, "expired on 2025-06-01"},
		"revoked key":           {map[string]string{"api_key": revoked}, 403, "revoked"},
		"no service":            {map[string]string{"service_code": ""}, 400, "service_code was not provided"},
		"unknown service":       {map[string]string{"service_code": "9"}, 404, "service_code"},
		"group, not a service":  {map[string]string{"service_code": "02"}, 404, "service_code"},
		"ended service":         {map[string]string{"service_code": "0203"}, 404, "service_code"},
		"no place":              {map[string]string{"lat": "", "long": ""}, 400, "location"},
		"half a place":          {map[string]string{"lat": ""}, 400, "lat"},
		"place beyond the pole": {map[string]string{"lat": "91"}, 400, "lat"},
		"no number":             {map[string]string{"long": "NaN"}, 400, "long"},
		"null island":           {map[string]string{"lat": "0", "long": "0"}, 400, "missing place"},
		"long description":      {map[string]string{"description": strings.Repeat("长", 4001)}, 400, "4000 characters"},
		"bytes":                 {map[string]string{"description": "\xff"}, 400, "UTF-8"},
		"unknown jurisdiction":  {map[string]string{"jurisdiction_id": "123"}, 404, "jurisdiction_id"},
		"unknown region":        {map[string]string{"attribute[region]": "998877000000"}, 400, "998877000000"},
		"unknown attribute":     {map[string]string{"attribute[color]": "red"}, 400, "color"},
		"unknown value":         {map[string]string{"attribute[kind]": "RANT"}, 400, "RANT"},
		"bad address of media":  {map[string]string{"media_url": "javascript:alert(1)"}, 400, "media_url"},
		"too much":              {map[string]string{"device_id": "x", "attribute[region]": strings.Repeat("x", 70_000)}, 413, "bytes"},
	} {
		response, body := b.post("/v2/requests.json", c.fields)
		require.Equal(t, c.status, response.StatusCode, "%s: %s", name, body)
		var faults []struct {
			Code        int
			Description string
		}
		require.NoError(t, json.Unmarshal([]byte(body), &faults), name)
		require.Equal(t, c.status, faults[0].Code, name)
		require.Contains(t, faults[0].Description, c.says, name)

		_, body = b.post("/v2/requests.xml", c.fields)
		var doc struct {
			XMLName xml.Name `xml:"errors"`
			Errors  []struct {
				Code        int    `xml:"code"`
				Description string `xml:"description"`
			} `xml:"error"`
		}
		require.NoError(t, xml.Unmarshal([]byte(body), &doc), name)
		require.Equal(t, faults[0].Description, doc.Errors[0].Description, name)
	}
	require.Zero(t, scalar[int](b, "SELECT count(*)::int FROM opinion"), "nothing of what was refused is kept")

	for path, status := range map[string]int{
		"/v2/nothing.json": 404, "/v2/requests/GW-0000000.json": 404, "/v2/tokens/x.json": 404, "/": 404, "/v2/services/9.json": 404,
		"/v2/requests.json?status=done": 400, "/v2/requests.json?start_date=yesterday": 400, "/v2/requests.json?page=0": 400,
		"/v2/requests.json?page_size=1001": 400, "/v2/requests.json?page=102": 400, "/v2/requests.json?jurisdiction_id=1": 404,
		"/v2/requests.json?start_date=2026-01-01T00:00:00Z&end_date=2026-06-01T00:00:00Z": 400,
		"/v2/requests.json?start_date=2026-02-01T00:00:00Z&end_date=2026-01-01T00:00:00Z": 400,
		"/v2/requests.json?service_request_id=" + strings.Repeat("a,", 101):               400,
	} {
		response, body := b.get(path)
		require.Equal(t, status, response.StatusCode, "%s: %s", path, body)
		require.Contains(t, body, fmt.Sprint(status), path)
	}
	response, err := http.Post(b.url+"/v2/requests.json", "application/json", strings.NewReader(`{}`))
	require.NoError(t, err)
	_, body := b.read(response)
	require.Equal(t, 400, response.StatusCode)
	require.Contains(t, body, "application/x-www-form-urlencoded")
	refused, body := b.post("/v2/services.json", nil)
	require.Equal(t, 405, refused.StatusCode, body)
	require.Equal(t, "GET, HEAD", refused.Header.Get("Allow"))
}

func TestFilters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	lamp := b.file(nil)
	road := b.file(map[string]string{"service_code": "0202", "jurisdiction_id": "990100000000"})
	older := b.file(nil)
	scalar[int](b, "UPDATE issue SET origin_at = '2026-03-05T20:00:00Z' WHERE public_ref = $1 RETURNING 1", older) // 6 March in China
	closed := b.file(nil)
	scalar[int](b, "UPDATE issue SET state = 'CLOSED', closure_type = 'WITHDRAWN', closed_at = '2026-11-19T01:00:00Z' WHERE public_ref = $1 RETURNING 1", closed)

	require.ElementsMatch(t, []string{lamp, road, closed}, ids(b.requests("")), "the last 90 days")
	require.Equal(t, []string{road}, ids(b.requests("?service_code=0202,none")))
	require.ElementsMatch(t, []string{lamp, road, closed}, ids(b.requests("?service_code=0202&service_code=0201")))
	require.Equal(t, []string{road}, ids(b.requests("?jurisdiction_id=990000000000")))
	require.Equal(t, []string{closed}, ids(b.requests("?status=closed")))
	require.ElementsMatch(t, []string{lamp, road, closed}, ids(b.requests("?status=open,closed")))
	require.Equal(t, []string{older}, ids(b.requests("?start_date=2026-03-06T00:00:00%2B08:00&end_date=2026-03-06T00:00:00%2B08:00")), "whole days")
	require.Equal(t, []string{older}, ids(b.requests("?start_date=2026-03-06T23:59:59+08:00")), "a plus sign that was not escaped")
	require.Equal(t, []string{older}, ids(b.requests("?end_date=2026-03-06T00:00:00Z")))
	require.Empty(t, b.requests("?end_date=2026-03-05T00:00:00Z"))
	require.ElementsMatch(t, []string{older, lamp}, ids(b.requests("?service_request_id="+older+","+url.QueryEscape(lamp)+"&status=closed")), "it overrides all else")

	var paged []string
	for page := 1; ; page++ {
		list := b.requests(fmt.Sprintf("?page_size=2&page=%d", page))
		paged = append(paged, ids(list)...)
		if len(list) < 2 {
			break
		}
	}
	require.Equal(t, ids(b.requests("")), paged)

	done := b.requests("?status=closed")[0]
	require.Equal(t, "WITHDRAWN: by the reporter.", done["status_notes"])
	require.Equal(t, "2026-11-19T00:00:00+08:00", done["updated_datetime"])
}

// What this server serves, our own import reads: each request with its status, time and service, in both formats.
func TestOwnImportReadsIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	open := b.file(map[string]string{"description": "公开的话", "attribute[confidentiality]": "PUBLIC"})
	closed := b.file(map[string]string{"service_code": "0202"})
	scalar[int](b, "UPDATE issue SET state = 'CLOSED', closure_type = 'UNCONFIRMED', closed_at = '2026-11-20T08:30:00Z', due_at = '2026-11-25T08:00:00Z' WHERE public_ref = $1 RETURNING 1", closed)
	for _, path := range []string{"/v2/requests.json", "/v2/requests.xml"} {
		_, body := b.get(path)
		file, err := importer.ReadOpen311([]byte(body), b.url+path, importer.Options{Now: now})
		require.NoError(t, err, path)
		require.Empty(t, file.Rejects, path)
		require.Len(t, file.Records, 2)
		records := map[string]importer.Record{}
		for _, r := range file.Records {
			records[r.ExternalID] = r
		}
		require.Equal(t, "公开的话", records[open].Text)
		require.False(t, records[open].Closed)
		require.Equal(t, "0201", records[open].CategoryCode)
		require.NotNil(t, records[open].Lat)
		require.True(t, records[closed].Closed)
		require.Contains(t, records[closed].Reply.Text, "UNCONFIRMED")
		require.Equal(t, "2026-11-25", groundwork.DayOf(*records[closed].DueAt))
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Zero(t, scalar[int](b, "SELECT count(*)::int FROM api_key WHERE last_used_at IS NOT NULL"))
	b.file(nil)
	require.Equal(t, 1, scalar[int](b, "SELECT count(*)::int FROM api_key WHERE last_used_at IS NOT NULL"))
	require.Zero(t, scalar[int](b, "SELECT count(*)::int FROM api_key WHERE to_jsonb(api_key)::text LIKE '%' || $1 || '%'", b.key), "the key itself is kept nowhere")
	page, err := b.db.APIKeys(t.Context(), groundwork.PageRequest{First: 10})
	require.NoError(t, err)
	require.Equal(t, "city-app", page.Items[0].Account)

	by := groundwork.Actor{ID: "admin", Role: groundwork.RoleSystem}
	for field, k := range map[string]groundwork.APIKey{
		"account":   {Account: "No Spaces", Scopes: []groundwork.APIScope{groundwork.ScopeOpen311}},
		"scopes":    {Account: "x"},
		"expiresAt": {Account: "x", Scopes: []groundwork.APIScope{groundwork.ScopeOpen311}, ExpiresAt: new(now)},
	} {
		_, _, err := b.db.CreateAPIKey(t.Context(), by, k)
		var refused *groundwork.Error
		require.ErrorAs(t, err, &refused)
		require.Equal(t, field, refused.Field)
	}
	_, err = b.db.RevokeAPIKey(t.Context(), by, uuid.New())
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err))
}
