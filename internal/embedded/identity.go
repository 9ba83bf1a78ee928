package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// overflowID is the id of "nobody" on every Linux distribution.
const overflowID = 65534

// identity is the user that a child runs as. Postgres refuses to run as root, so root needs another one.
type identity struct {
	// uid and gid own the child's files.
	uid, gid int
	how      identityKind
}

type identityKind int

const (
	// sameUser: the child runs as we do.
	sameUser identityKind = iota
	// otherUser: root starts the child as nobody.
	otherUser
	// userNamespace: the child runs with our own uid, which a user namespace shows to it as nobody's. It has root's
	// files but none of root's capabilities. Some containers forbid user namespaces, so it is the second choice.
	userNamespace
)

// chooseIdentity says as whom a child can work on files in dir, which must exist.
func chooseIdentity(dir string) identity {
	uid, gid := os.Geteuid(), os.Getegid()
	if uid != 0 {
		// initdb wants a name for its user; a container may run us under a uid that has none.
		if _, err := user.LookupId(strconv.Itoa(uid)); err != nil {
			return identity{uid, gid, userNamespace}
		}
		return identity{uid, gid, sameUser}
	}
	nobody := nobodyIdentity()
	if nobody.blockedAt(dir) != "" {
		return identity{uid, gid, userNamespace}
	}
	return nobody
}

func nobodyIdentity() identity {
	id := identity{overflowID, overflowID, otherUser}
	if account, err := user.Lookup("nobody"); err == nil {
		if uid, err := strconv.Atoi(account.Uid); err == nil {
			id.uid = uid
		}
		if gid, err := strconv.Atoi(account.Gid); err == nil {
			id.gid = gid
		}
	}
	return id
}

// attributes of a process with this identity, which gets the signal parentDeath when its parent dies. The own process
// group keeps Ctrl-C in the terminal away from it: the parent stops its children, in order.
func (id identity) attributes(parentDeath syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: parentDeath}
	switch id.how {
	case otherUser:
		attr.Credential = &syscall.Credential{Uid: uint32(id.uid), Gid: uint32(id.gid), Groups: []uint32{}}
	case userNamespace:
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: overflowID, HostID: id.uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: overflowID, HostID: id.gid, Size: 1}}
		attr.Credential = &syscall.Credential{Uid: overflowID, Gid: overflowID, NoSetGroups: true}
	}
	return attr
}

// blockedAt returns the first directory on the way to path, path included, that this identity may not enter (or read,
// if path is a file), and "" if it reaches path.
func (id identity) blockedAt(path string) string {
	if id.how != otherUser {
		return ""
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return path
	}
	for at := real; ; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err != nil || !id.mayEnter(info) {
			return at
		}
		if at == filepath.Dir(at) {
			return ""
		}
	}
}

func (id identity) mayEnter(info fs.FileInfo) bool {
	owner := info.Sys().(*syscall.Stat_t)
	need := fs.FileMode(0o1)
	if !info.IsDir() {
		need = 0o4
	}
	switch {
	case int(owner.Uid) == id.uid:
		need <<= 6
	case int(owner.Gid) == id.gid:
		need <<= 3
	}
	return info.Mode().Perm()&need != 0
}

// own gives dir and everything in it to this identity. The directory itself comes last: it says whether all was done.
func (id identity) own(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if owner := info.Sys().(*syscall.Stat_t); int(owner.Uid) == id.uid && int(owner.Gid) == id.gid {
		return nil
	}
	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || path == dir {
			return nil
		}
		if err != nil {
			return err
		}
		return os.Lchown(path, id.uid, id.gid)
	})
	if err != nil {
		return fmt.Errorf("give %s to user %d: %w", dir, id.uid, err)
	}
	return os.Chown(dir, id.uid, id.gid)
}

// explain adds the remedy to the failure of a child that could not get its identity.
func (id identity) explain(dir string, err error) error {
	refused := errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL)
	if id.how != userNamespace || !refused {
		return err
	}
	blocked := nobodyIdentity().blockedAt(dir)
	if id.uid != 0 || blocked == "" {
		return fmt.Errorf("%w: the user id %d has no name, and this system forbids user namespaces: add it to /etc/passwd, or run as a named user",
			err, id.uid)
	}
	return fmt.Errorf("%w: Postgres does not run as root, the user nobody cannot enter %s, and this system forbids user namespaces: run `chmod o+x %s`, choose another directory (--data-dir or GROUNDWORK_DATA), or run as an ordinary user",
		err, blocked, blocked)
}
