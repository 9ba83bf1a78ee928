package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// An operator sets up a region from files, gives an application a key, and the application files a request.
func TestReferenceFilesAndKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := up(t, filepath.Join(dir, "data"), "--no-sample")
	write := func(name, content string) string {
		name = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
		return name
	}
	rejects := filepath.Join(dir, "refused.csv")
	run := func(says string, args ...string) string {
		t.Helper()
		out, code := s.run(args...)
		require.Zero(t, code, out)
		require.Contains(t, out, says)
		return out
	}
	run("days: 0 new, 0 changed, 141 known already", "import", "holidays", "-q") // up has loaded them
	holidays := write("2027.csv", "日期,安排,说明\n2027-01-01,休,元旦\n")
	run("days: 1 new", "import", "holidays", "-q", "--replace", holidays)

	regions := write("regions.csv", "code,name\n990000000000,Z省\n990100000000,A市\n9902,B市\n980100000000,X市\n")
	run("(dry run: nothing was kept)", "import", "regions", "-q", "--dry-run", "--rejects", rejects, regions)
	out := run("regions: 2 new, 0 changed, 0 known already; 4 rows", "import", "regions", "-q", "--rejects", rejects, regions)
	require.Contains(t, out, "2 rows, written to "+rejects)
	refused, err := os.ReadFile(rejects)
	require.NoError(t, err)
	require.Contains(t, string(refused), `4,code,9902,expected the 12 digits of a region's code,9902,B市`)
	require.Contains(t, string(refused), `5,parent,980000000000,"the region above, 980000000000, does not exist`)
	require.Contains(t, string(refused), "980100000000,X市")
	run("regions: 0 new, 0 changed, 2 known already", "import", "regions", "-q", "--rejects", rejects, regions)
	run("sites: 1 new", "import", "sites", "-q", write("sites.csv", "区划代码,类型,名称\n990100000000,学校,第一小学\n"))
	run("units: 1 new", "import", "units", "-q", write("units.csv", "name,kind,region\n城管局,政府,990100000000\n"))
	run("posts: 1 new", "import", "officials", "-q", write("officials.csv", "pseudonym,unit,rank,title,held_from\nP-001,城管局,县处级,局长,2024-03-01\n"))
	s.psql(`INSERT INTO category (id, code, name, path) VALUES (gen_random_uuid(), '0201', '路灯', ARRAY['路灯'])`)
	run("dispatch rules: 1 new", "import", "dispatch-rules", "-q", write("rules.csv", "category,region_level,unit,basis,valid_from\n0201,市,城管局,权责清单,2024-01-01\n"))

	run("targets: 1 new", "import", "targets", "-q", write("targets.csv", "category,severity,ack_minutes,response_minutes,resolution_minutes,time_base,published_at,valid_from\n0201,一般,480,1440,4800,工作时间,2024-01-01,2024-02-01\n"))

	out, code := s.run("import", "officials", "-q", write("named.csv", "pseudonym,姓名,unit,rank,title,held_from\n"))
	require.NotZero(t, code)
	require.Contains(t, out, "姓名")

	out = run("valid until 20", "apikey", "create", "city-app")
	key := out[strings.Index(out, "gwk_"):][:47]
	require.NotContains(t, run("city-app", "apikey", "list"), key)
	file := func() (int, string) {
		response, err := http.PostForm(s.http+"/open311/v2/requests.json", url.Values{"api_key": {key}, "service_code": {"0201"}, "lat": {"28.2"}, "long": {"112.9"}, "description": {"灯坏了"}})
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(body)
	}
	status, body := file()
	require.Equal(t, http.StatusOK, status, body)
	var filed []struct {
		ID string `json:"service_request_id"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &filed))
	run("1 records, 0 rejected", "import", "open311", "-q", "--dry-run", s.http+"/open311/v2/requests/"+filed[0].ID+".xml")

	list := run("city-app", "apikey", "list")
	for line := range strings.Lines(list) {
		if id, _, _ := strings.Cut(line, " "); len(id) == 36 {
			run("revoked on", "apikey", "revoke", id)
		}
	}
	status, body = file()
	require.Equal(t, http.StatusForbidden, status, body)
	out, code = s.run("apikey", "revoke", "x")
	require.NotZero(t, code)
	require.Contains(t, out, "apikey list")
	require.NoError(t, s.stop(), s.output)
}
