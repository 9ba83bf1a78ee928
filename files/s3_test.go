package files_test

import (
	"bytes"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/files"
)

// bucket is a store that speaks S3, with a bucket "evidence".
func bucket(t *testing.T) (address string) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("evidence"))
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	return "s3://evidence/of/claims?insecure=true&region=us-east-1&endpoint=" + strings.TrimPrefix(server.URL, "http://")
}

func TestS3KeepsContentsByTheirHash(t *testing.T) {
	store, err := files.OpenS3(bucket(t))
	require.NoError(t, err)
	require.NoError(t, store.Check(t.Context()))
	content := bytes.Repeat([]byte("a hole in the road "), 100)
	sum, size, err := store.Put(t.Context(), bytes.NewReader(content), limit)
	require.NoError(t, err)
	require.EqualValues(t, len(content), size)
	again, _, err := store.Put(t.Context(), bytes.NewReader(content), limit)
	require.NoError(t, err)
	require.Equal(t, sum, again)

	got, err := store.Open(t.Context(), sum)
	require.NoError(t, err)
	defer got.Close()
	_, err = got.Seek(5, io.SeekStart)
	require.NoError(t, err)
	rest, err := io.ReadAll(got)
	require.NoError(t, err)
	require.Equal(t, content[5:], rest)
}

func TestS3Deletes(t *testing.T) {
	store, err := files.OpenS3(bucket(t))
	require.NoError(t, err)
	sum, _, err := store.Put(t.Context(), strings.NewReader("a hole in the road"), limit)
	require.NoError(t, err)
	for range 2 { // what is gone is gone
		require.NoError(t, store.Delete(t.Context(), sum))
		_, err = store.Open(t.Context(), sum)
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	require.ErrorContains(t, store.Delete(t.Context(), "../../secret"), "no hash")
	elsewhere, err := files.OpenS3(strings.Replace(bucket(t), "evidence", "nowhere", 1))
	require.NoError(t, err)
	require.ErrorContains(t, elsewhere.Delete(t.Context(), sum), "nowhere", "a bucket that is not there is not one where all is deleted")
}

func TestS3Refusals(t *testing.T) {
	store, err := files.OpenS3(bucket(t))
	require.NoError(t, err)
	_, _, err = store.Put(t.Context(), strings.NewReader(strings.Repeat("x", limit+1)), limit)
	require.ErrorIs(t, err, files.ErrTooLarge)
	for _, sum := range []string{strings.Repeat("0", 64), "../../secret", ""} {
		_, err = store.Open(t.Context(), sum)
		require.ErrorIs(t, err, fs.ErrNotExist, sum)
	}
	elsewhere, err := files.OpenS3(strings.Replace(bucket(t), "evidence", "nowhere", 1))
	require.NoError(t, err)
	require.ErrorContains(t, elsewhere.Check(t.Context()), "no bucket nowhere")
}

// A store that does not answer is no fault of the program: the phone tries again.
func TestS3ThatDoesNotAnswer(t *testing.T) {
	down := httptest.NewServer(nil)
	down.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	store, err := files.OpenS3("s3://evidence?insecure=true&region=us-east-1&endpoint=" + strings.TrimPrefix(down.URL, "http://"))
	require.NoError(t, err)
	c := open(t)
	c.h = files.NewHandler(files.Deps{Store: c.db, Blobs: store, Logger: slog.New(slog.DiscardHandler)})
	handler := as(groundwork.RoleHandler)
	w := c.ask(handler, http.MethodPut, "/", "image/jpeg", jpeg)
	require.Equal(t, http.StatusServiceUnavailable, w.Code, w.Body)
	require.Contains(t, w.Body.String(), "UPSTREAM_UNAVAILABLE")
	require.Contains(t, w.Body.String(), "again later")
	w = c.ask(handler, http.MethodPut, "/", "image/jpeg", "")
	require.Equal(t, http.StatusBadRequest, w.Code, "what is empty is not sent to the store: %s", w.Body)
}

func TestS3AddressesAreChecked(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://bucket":             "s3://BUCKET",
		"s3:///prefix":               "s3://BUCKET",
		"s3://key:secret@bucket":     "without keys",
		"s3://bucket?enpoint=x":      `"enpoint" is no option`,
		"s3://bucket?endpoint=a/b/c": "a/b/c",
	} {
		_, err := files.OpenS3(address)
		require.ErrorContains(t, err, want, address)
		require.NotContains(t, err.Error(), "secret@")
	}
}
