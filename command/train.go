package command

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"synfire/catalog"
	"synfire/internal/limit"
	"synfire/model"
	"synfire/recipe"
)

type trainCmd struct {
	File string `arg:"" help:"YAML file; unknown keys are errors."`
	runFlags
}

// Help is the verb's longer help.
func (trainCmd) Help() string {
	return `Trains what the file describes, by the rule that it names, and writes a report. A tenth
of the training samples (valid) chooses the best epoch, whose model is the result; with
valid: 0 the last is. The test samples are measured once, at the end. Ctrl-C saves;
--resume continues to the same result, bit for bit.`
}

// Run trains. Paths in the file are relative to its folder.
func (c *trainCmd) Run(a *app) error { return c.train(a, filepath.Dir(c.File)) }

// train trains what the file says; paths in it are relative to dir.
func (c *trainCmd) train(a *app, dir string) error {
	cfg, src, err := a.decode("train", c.File, dir)
	if err != nil {
		return err
	}
	if c.Seed != nil {
		cfg.Seed = *c.Seed
	}
	base := strings.TrimSuffix(filepath.Base(c.File), filepath.Ext(c.File))
	own := recipe.Own("training of "+base, cfg)
	train := own.Run
	own.Run = func(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
		o, err := train(ctx, e)
		return o, model.Locate(c.File, src, err)
	}
	return a.runRecipe(own, "", cfg.Seed, fmt.Sprintf("%s-s%d", base, cfg.Seed), c.runFlags)
}

// decode reads a configuration file and its text; paths in it are relative to dir.
func (a *app) decode(verb, file, dir string) (cfg model.Config, src []byte, err error) {
	if src, err = limit.ReadPath(file, model.MaxConfig); err != nil {
		return cfg, nil, usageError{fmt.Errorf("%s: %w", verb, err)}
	}
	if cfg, err = a.Catalog.Decode(file, src); err != nil {
		return cfg, nil, usageError{err}
	}
	catalog.Relative(&cfg.Data, dir)
	if cfg.Init != "" && !filepath.IsAbs(cfg.Init) {
		cfg.Init = filepath.Join(dir, cfg.Init)
	}
	return cfg, src, nil
}
