// Command groundwork runs Groundwork: the whole system on its embedded engines, or any part of it on servers of your own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	kongyaml "github.com/alecthomas/kong-yaml"
)

const description = `Groundwork makes the "four grassroots" practice of governance work for real: opinions are heard, issues are
solved, and effect is measured rather than activity.

Two commands do it all: "make up" starts everything on embedded engines, "make test" runs the tests.
Every option can stand on the command line, in the environment, or in groundwork.yaml in the working directory; the first of
these that names it wins.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	os.Exit(run(ctx, os.Args[1:]))
}

// run parses and runs one command line; it returns the exit code: 0 done, 1 failed, 2 wrong usage.
func run(ctx context.Context, args []string) int {
	var cli CLI
	parser, err := kong.New(&cli,
		kong.Name("groundwork"),
		kong.Description(description),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}),
		kong.Configuration(configuration, "groundwork.yaml"),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "groundwork: error:", err)
		return 2
	}
	command, err := parser.Parse(args)
	if err != nil {
		parser.Errorf("%s", err)
		var usage *kong.ParseError
		if errors.As(err, &usage) {
			fmt.Fprintf(os.Stderr, "Run \"groundwork --help\" or \"groundwork COMMAND --help\" for the options.\n")
		}
		return 2
	}
	if err := command.Run(&cli.Common); err != nil && !errors.Is(err, context.Canceled) {
		parser.Errorf("%s", err)
		return 1
	}
	return 0
}

// configuration reads options from a YAML file, for those that the environment does not name: kong would let the file win.
func configuration(r io.Reader) (kong.Resolver, error) {
	file, err := kongyaml.Loader(r)
	if err != nil {
		return nil, err
	}
	return kong.ResolverFunc(func(context *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if _, set := os.LookupEnv(name); set {
				return nil, nil
			}
		}
		return file.Resolve(context, parent, flag)
	}), nil
}
