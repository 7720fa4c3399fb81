# skiff: build, test, check, measure. `make help` lists what there is.
#
# Every variant (release, asan, tsan, fuzz) has a folder of objects of its own below build/, made from the same
# sources; nothing is listed by hand: a file that exists is built.

.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

CC      := gcc
CLANG   := clang-14
CXX     := g++
# `make bench B=json`: on the command line B names benchmarks; below it is always the folder built into.
BENCH_FILTER := $(if $(filter command line,$(origin B)),$(B))
override B := build
JOBS    := $(shell nproc 2>/dev/null || echo 2)
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(JOBS)
endif

# --- what there is to build -------------------------------------------------------------------------------------
SRC_ALL    := $(sort $(wildcard src/*.c src/*/*.c src/*/*/*.c))
TEST_SRC   := $(filter %_test.c %_fuzz.c,$(SRC_ALL)) $(sort $(wildcard tests/*_test.c tests/*/*_test.c))
MAIN_SRC   := src/main.c
LIB_SRC    := $(filter-out %_test.c %_fuzz.c $(MAIN_SRC),$(SRC_ALL))
HARNESS    := tests/harness/test.c tests/harness/sim_run.c tests/harness/server.c tests/harness/transcript.c
BENCH_SRC  := $(sort $(wildcard bench/*.c))
BENCH_CXX  := $(sort $(wildcard bench/*.cc))
HEADERS    := $(sort $(wildcard src/*/*.h src/*/*/*.h tests/harness/*.h bench/*.h tools/*.h))

# The schema: api/ is read by a generator of ours, which makes the view structs and the tables.
API_FILES  := $(sort $(wildcard api/*/*.api api/*/*/*.api))
GEN        := $(B)/gen
GEN_STAMP  := $(GEN)/.stamp
GEN_SRC    := $(GEN)/schema_builtin.c $(GEN)/unicode_tables.c
SCHEMA_SRC := tools/schema/parse.c $(wildcard src/base/str.c src/base/buf.c src/base/arena.c src/base/mem.c \
              src/base/err.c src/base/defs.c src/base/intern.c)
GEN_TOOL   := tools/schema/gen_main.c tools/schema/emit_views.c tools/schema/emit_tables.c
CHECK_TOOL := tools/schema/check_main.c
# Unicode's tables: made from what PCRE2 knows.
UNI_TOOL   := tools/unicode/gen_main.c src/base/utf8.c $(filter src/base/%,$(SCHEMA_SRC))

# --- how ----------------------------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
        -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough \
        -Wno-missing-field-initializers -Wno-unused-parameter
# Quoted includes only: <sys/file.h> is the C library's, "sys/file.h" ours.
CPP_COMMON := -D_GNU_SOURCE -iquote src -iquote tests -iquote $(B)/gen
C_COMMON   := -std=gnu17 -g $(WARN) -fno-strict-aliasing -fstack-protector-strong
LIBS       := -lssl -lcrypto -lnghttp2 -lsqlite3 -lyaml -lz -lm -lpthread

release_CC     := $(CC)
release_CFLAGS := $(C_COMMON) -Wno-format-truncation -O2 -D_FORTIFY_SOURCE=2
release_LD     := -Wl,--as-needed -Wl,-z,relro,-z,now

asan_CC        := $(CLANG)
asan_CFLAGS    := $(C_COMMON) -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
                  -fno-sanitize-recover=all -DARENA_DEBUG
asan_LD        := -fsanitize=address,undefined

tsan_CC        := $(CLANG)
tsan_CFLAGS    := $(C_COMMON) -O1 -fno-omit-frame-pointer -fsanitize=thread
tsan_LD        := -fsanitize=thread

fuzz_CC        := $(CLANG)
fuzz_CFLAGS    := $(C_COMMON) -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
                  -fno-sanitize-recover=all -DARENA_DEBUG
fuzz_LD        := -fsanitize=fuzzer,address,undefined

# Decoders of outside bytes: no silent narrowing.
STRICT := -Wconversion -Wno-sign-conversion
extra_flags = $(if $(filter src/wire/%,$(1)),$(if $(filter %_test.c %_fuzz.c,$(1)),,$(STRICT)))

VARIANTS := release asan tsan fuzz

# What has no time of its own: a list of files, a command line. A stamp's file changes when that text does, so that a
# removed source leaves no object behind in an archive, and other flags build everything again.
.PHONY: FORCE
FORCE: ;
stamp = @mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' >$@

# --- dependencies ---------------------------------------------------------------------------------------------------
DEPS_OK := $(B)/.deps-ok
$(DEPS_OK): tools/deps.sh
	@mkdir -p $(B)
	@tools/deps.sh
	@touch $@

# What only the benchmarks need: the peers.
BENCH_DEPS_OK := $(B)/.bench-deps-ok
$(BENCH_DEPS_OK): tools/deps.sh
	@mkdir -p $(B)
	@tools/deps.sh --bench
	@touch $@

.PHONY: deps
deps:
	@mkdir -p $(B)
	@tools/deps.sh --verbose
	@touch $(DEPS_OK)

# --- the schema generator (plain build, before everything else) -------------------------------------------------------
$(B)/tools/%.o: %.c | $(DEPS_OK)
	@mkdir -p $(@D)
	@echo "  cc-tool  $<"
	@$(CC) $(release_CFLAGS) -Itools/schema $(CPP_COMMON) -MMD -MP -c -o $@ $<

tool_obj = $(patsubst %.c,$(B)/tools/%.o,$(1))
-include $(patsubst %.o,%.d,$(call tool_obj,$(SCHEMA_SRC) $(GEN_TOOL) $(CHECK_TOOL) $(UNI_TOOL)))

$(B)/schemagen: $(call tool_obj,$(SCHEMA_SRC) $(GEN_TOOL))
	@$(CC) -o $@ $^

$(B)/schemacheck: $(call tool_obj,$(SCHEMA_SRC) $(CHECK_TOOL))
	@$(CC) -o $@ $^

$(B)/unicodegen: $(call tool_obj,$(UNI_TOOL))
	@$(CC) -o $@ $^ -lpcre2-8

$(GEN)/unicode_tables.c: $(B)/unicodegen
	@mkdir -p $(GEN)
	@echo "  gen  $@"
	@$(B)/unicodegen $@

$(B)/.api-files: FORCE
	$(call stamp,$(API_FILES))

$(GEN_STAMP): $(B)/schemagen $(API_FILES) $(B)/.api-files
	@mkdir -p $(GEN)
	@echo "  gen  $(GEN)"
	@$(B)/schemagen $(GEN) $(API_FILES)
	@touch $@

# Nothing to do, but make must look at their times only when the generator has run.
$(GEN)/schema_builtin.c: $(GEN_STAMP) ;
$(GEN)/view/%.h: $(GEN_STAMP) ;

# --- rules, once per variant ------------------------------------------------------------------------------------------
obj = $(patsubst %,$(B)/$(1)/obj/%.o,$(basename $(2)))

define variant_rules
$(B)/$(1)/.flags: FORCE
	$$(call stamp,$$($(1)_CC) $$($(1)_CFLAGS) $(STRICT) $(CPP_COMMON) $$($(1)_LD) $(LIBS))

$(B)/$(1)/.sources: FORCE
	$$(call stamp,$(LIB_SRC) $(TEST_SRC))

$(B)/$(1)/obj/%.o: %.c $(B)/$(1)/.flags | $(GEN_STAMP) $(DEPS_OK)
	@mkdir -p $$(@D)
	@echo "  $(if $(filter release,$(1)),cc,cc-$(1))  $$<"
	@$$($(1)_CC) $$($(1)_CFLAGS) $$(call extra_flags,$$<) $(CPP_COMMON) -MMD -MP -c -o $$@ $$<

$(B)/$(1)/libskiff.a: $(call obj,$(1),$(LIB_SRC) $(GEN_SRC)) $(B)/$(1)/.sources
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$(filter %.o,$$^)

$(B)/$(1)/skiff-test: $(call obj,$(1),$(HARNESS) tests/harness/main.c $(TEST_SRC)) $(B)/$(1)/libskiff.a \
    $(B)/$(1)/.sources
	@echo "  ld  $$@"
	@$$($(1)_CC) $$($(1)_LD) -o $$@ $$(filter %.o %.a,$$^) $(LIBS)

-include $(patsubst %.o,%.d,$(call obj,$(1),$(LIB_SRC) $(GEN_SRC) $(MAIN_SRC) $(HARNESS) tests/harness/main.c \
    tests/harness/fuzz_main.c $(TEST_SRC) $(BENCH_SRC)))
endef

$(foreach v,$(VARIANTS),$(eval $(call variant_rules,$(v))))

$(B)/skiff: $(call obj,release,$(MAIN_SRC)) $(B)/release/libskiff.a
	@echo "  ld  $@"
	@$(CC) $(release_LD) -o $@ $^ $(LIBS)

$(B)/skiff-test: $(B)/release/skiff-test
	@cp $< $@

$(B)/fuzz/skiff-fuzz: $(call obj,fuzz,$(HARNESS) tests/harness/fuzz_main.c $(TEST_SRC)) $(B)/fuzz/libskiff.a
	@echo "  ld  $@"
	@$(fuzz_CC) $(fuzz_LD) -o $@ $^ $(LIBS)

BENCH_OBJ := $(call obj,release,$(BENCH_SRC)) $(patsubst %,$(B)/release/obj/%.o,$(BENCH_CXX))
$(BENCH_OBJ): | $(BENCH_DEPS_OK)

$(B)/release/obj/%.cc.o: %.cc | $(BENCH_DEPS_OK)
	@mkdir -p $(@D)
	@echo "  c++ $<"
	@$(CXX) -std=c++17 -g -O2 -Wall -Wextra -Werror $(CPP_COMMON) -MMD -MP -c -o $@ $<
-include $(patsubst %,$(B)/release/obj/%.d,$(BENCH_CXX))

# Jansson has functions named as some of ours: kept out of its sight by --exclude-libs, else it would call them.
$(B)/skiff-bench: $(BENCH_OBJ) $(B)/release/libskiff.a
	@echo "  ld  $@"
	@$(CXX) $(release_LD) -Wl,--exclude-libs,libskiff.a -o $@ $^ -ljansson -lsimdjson $(LIBS)

# --- what one types ----------------------------------------------------------------------------------------------------
.PHONY: all check-schema test quick asan tsan fuzz check format bench stats clean help sim
all: $(B)/skiff ## build build/skiff

test: $(B)/skiff $(B)/release/skiff-test $(B)/asan/skiff-test ## build and run every test, plain and under address+undefined sanitizers (T=part of a name, SEED=n)
	@tools/run-tests.sh '$(T)' '$(SEED)' release asan

asan: $(B)/asan/skiff-test ## tests under address and undefined-behaviour sanitizers only
	@tools/run-tests.sh '$(T)' '$(SEED)' asan

tsan: $(B)/tsan/skiff-test ## tests under the thread sanitizer
	@tools/run-tests.sh '$(T)' '$(SEED)' tsan

quick: $(B)/release/skiff-test ## tests of the plain build only
	@tools/run-tests.sh '$(T)' '$(SEED)' release

sim: $(B)/release/skiff-test ## simulated runs: SEED=n replays one, SECONDS=n goes on with new seeds for so long (T=part of a name)
	@SKIFF_SIM_RUNS='$(if $(SEED),1)' SKIFF_SIM_SECONDS='$(if $(findstring command,$(origin SECONDS)),$(SECONDS))' \
	    tools/run-tests.sh '$(or $(T),sim_)' '$(SEED)' release

SECONDS ?= 60
fuzz: $(B)/fuzz/skiff-fuzz ## fuzz one decoder: T=json SECONDS=60; without T all of them, as many at once as there are cores
	@tools/run-fuzz.sh '$(T)' '$(SECONDS)'

bench: $(B)/skiff-bench ## measure against peers: all, or B=part of a name
	@$< --filter '$(BENCH_FILTER)'

check: $(DEPS_OK) $(GEN_STAMP) $(B)/release/libskiff.a ## formatter, include directions, headers alone, system calls in src/sys only
	@tools/check.sh

REFERENCE ?= ../shared/reference
check-schema: $(B)/schemacheck ## compare api/ with the reference tables: fields declared of known, every difference
	@$(B)/schemacheck $(REFERENCE) $(API_FILES)

format: $(DEPS_OK) ## format every C file in place
	@tools/check.sh --format

stats: ## files, lines and the longest function of each folder
	@tools/stats.sh

clean: ## remove build/
	rm -rf $(B)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1#\2/p' Makefile | sort | awk -F'#' '{printf "%-18s %s\n", $$1, $$2}'
