package warehouse

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"golang.org/x/sync/errgroup"
)

// together does all side by side, and returns the first error.
func together(all ...func() error) error {
	var group errgroup.Group
	for _, do := range all {
		group.Go(func() error { return Guarded(do) })
	}
	return group.Wait()
}

// Guarded makes a fault of the program an error. In a goroutine of its own, or in one that others wait for, nobody above could recover it, and the process would end.
func Guarded(do func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("a fault of the program: %v\n%s", fault, debug.Stack())
		}
	}()
	return do()
}

// beside makes something of each of n, on all processors.
func beside[T any](n int, of func(int) (T, error)) ([]T, error) {
	made := make([]T, n)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		group.Go(func() error {
			return Guarded(func() (err error) {
				made[i], err = of(i)
				return err
			})
		})
	}
	return made, group.Wait()
}
