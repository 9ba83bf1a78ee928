package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"groundwork"
)

// S3 keeps contents as objects of a bucket of an S3-compatible store, named by their hash.
type S3 struct {
	client         *minio.Client
	bucket, prefix string
}

// OpenS3 returns the store that the address names:
//
//	s3://BUCKET[/PREFIX]?endpoint=HOST[:PORT][&region=REGION][&insecure=true]
//
// endpoint is s3.amazonaws.com if left out; insecure=true speaks HTTP, for a store on the same machine. The keys come from where the
// tools of S3 keep them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ~/.aws/credentials, or the role of the machine.
func OpenS3(address string) (*S3, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil {
		return nil, errors.New("the address of a store for files is s3://BUCKET[/PREFIX]?endpoint=HOST:PORT, without keys: those come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	query := u.Query()
	for name := range query {
		if name != "endpoint" && name != "region" && name != "insecure" {
			return nil, fmt.Errorf("%q is no option of %s://%s: there are endpoint, region and insecure", name, u.Scheme, u.Host)
		}
	}
	endpoint := query.Get("endpoint")
	if endpoint == "" {
		endpoint = "s3.amazonaws.com"
	}
	client, err := minio.New(endpoint, &minio.Options{
		Creds: credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{Client: http.DefaultClient},
		}),
		Secure: query.Get("insecure") != "true",
		Region: query.Get("region"),
	})
	if err != nil {
		return nil, fmt.Errorf("the store for files at %s: %w", endpoint, err)
	}
	return &S3{client: client, bucket: u.Host, prefix: strings.Trim(u.Path, "/")}, nil
}

// Check reports whether the bucket is there and can be reached.
func (s *S3) Check(ctx context.Context) error {
	there, err := s.client.BucketExists(ctx, s.bucket)
	if err != nil {
		return fmt.Errorf("reach bucket %s for files: %w", s.bucket, err)
	}
	if !there {
		return fmt.Errorf("there is no bucket %s for files: create it, or name another", s.bucket)
	}
	return nil
}

// Put implements Blobs. The content is gathered in a temporary file first, since an object is named by a hash that is known at the end
// only; the store checks what arrives.
func (s *S3) Put(ctx context.Context, r io.Reader, limit int64) (sum string, size int64, err error) {
	content, sum, size, err := receive(ctx, "", r, limit)
	if err != nil {
		return "", 0, err
	}
	defer discard(content)
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return "", 0, fmt.Errorf("keep a file: %w", err)
	}
	_, err = s.client.PutObject(ctx, s.bucket, s.name(sum), content, size, minio.PutObjectOptions{SendContentMd5: true, DisableMultipart: true})
	if err != nil {
		return "", 0, s.failed("keep a file", err)
	}
	return sum, size, nil
}

// failed says of an error of the store whether it will pass: a store that does not answer, or is overloaded, may do so later.
func (s *S3) failed(op string, err error) error {
	err = fmt.Errorf("%s in bucket %s: %w", op, s.bucket, err)
	if r, answered := errors.AsType[minio.ErrorResponse](err); answered && r.StatusCode < http.StatusInternalServerError || errors.Is(err, context.Canceled) {
		return err
	}
	return &groundwork.Error{Code: groundwork.CodeUnavailable, Message: "the store of evidence files does not answer; send the request again later", Err: err}
}

// Open implements Blobs.
func (s *S3) Open(ctx context.Context, sum string) (io.ReadSeekCloser, error) {
	if !isHash(sum) {
		return nil, fs.ErrNotExist
	}
	object, err := s.client.GetObject(ctx, s.bucket, s.name(sum), minio.GetObjectOptions{})
	if err == nil {
		_, err = object.Stat()
	}
	switch {
	case err == nil:
		return object, nil
	case minio.ToErrorResponse(err).StatusCode == http.StatusNotFound:
		return nil, fs.ErrNotExist
	default:
		return nil, s.failed("open a file", err)
	}
}

// Delete implements groundwork.EvidenceContents. A bucket that keeps versions keeps the content.
func (s *S3) Delete(ctx context.Context, sum string) error {
	if !isHash(sum) {
		return fmt.Errorf("delete a file: %q is no hash", sum)
	}
	if err := s.client.RemoveObject(ctx, s.bucket, s.name(sum), minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("delete a file in bucket %s: %w", s.bucket, err)
	}
	return nil
}

func (s *S3) name(sum string) string { return path.Join(s.prefix, sum[:2], sum[2:]) }
