# Parley. Two commands do everything on a fresh Debian 12 machine:
#
#   make run     installs what is missing, builds, starts on http://127.0.0.1:8080, data in ./data
#   make test    installs what is missing, builds, runs every test that this machine can run
#
# Also: make build (leaves build/parley), make run DEMO=1 (with people and chats to look at),
# make format, make bench, make clean. ARGS="--set key=value" reaches parley serve.

DATA ?= data
LISTEN ?= 127.0.0.1:8080
ARGS ?=

.PHONY: run build test format bench clean

run: build
ifdef DEMO
	@test -e "$(DATA)/main.db" || build/parley demo --data "$(DATA)"
endif
	@exec build/parley serve --data "$(DATA)" --listen "$(LISTEN)" $(ARGS)

build:
	@scripts/install build
	@scripts/build

test:
	@scripts/install build test
	@scripts/build
	@tests/run_all

format:
	@scripts/install format
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

bench:
	@scripts/install build bench
	@scripts/build all
	@bench/run

clean:
	rm -rf build web/dist web/node_modules
