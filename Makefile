# Two commands do everything, set-up included: `make demo` and `make test`.  `make check` adds lint, types and contracts.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-stamp

# uv does not look at what pip was told in the environment: folders of wheels, package index, certificates.
UV_OPTIONS := $(addprefix --find-links ,$(PIP_FIND_LINKS)) $(addprefix --default-index ,$(PIP_INDEX_URL)) \
	$(addprefix --index ,$(PIP_EXTRA_INDEX_URL)) $(if $(PIP_EXTRA_INDEX_URL),--index-strategy unsafe-best-match) \
	$(if $(wildcard /etc/ssl/certs/ca-certificates.crt),--system-certs)

# A viewer needs an X server with OpenGL; on a machine without a screen Xvfb is one (Qt's "offscreen" is not).
ON_SCREEN := $(if $(DISPLAY)$(WAYLAND_DISPLAY),,xvfb-run -a -s "-screen 0 1600x1200x24")
# NAPARI_CONFIG= keeps the user's own napari settings out of tests and demo, and them untouched.
# What is imported is compiled once, into the environment's own folder: a container may forbid it (PYTHONDONTWRITEBYTECODE), and then every
# worker, and every program that a test starts, compiles thousands of modules anew, half a minute of each.
ENV := NAPARI_CONFIG= QT_API=pyside6 PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(CURDIR)/$(VENV)/pycache
# Two workers on two cores: more threads would only wait for one another, and cost a third more.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: demo test lowest lint docs check mutants setup system clean

demo: system $(STAMP)
	$(ENV) $(ON_SCREEN) $(BIN)/napari-wse2xai demo --output demo_out $(if $(DISPLAY)$(WAYLAND_DISPLAY),,--no-window)

test: system $(STAMP)
	$(ENV) $(ONE_THREAD) $(ON_SCREEN) $(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The site of the documents, every link in it checked.
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --site-dir $(VENV)/site

check: lint docs test

# Faults planted one at a time: does a test fail?  Half an hour; not part of `check`.  MUTANTS_ARGS="--count 60 --rooms plots": fewer, of one room.
mutants: system $(STAMP)
	$(ENV) $(ONE_THREAD) $(BIN)/python tools/mutants $(MUTANTS_ARGS)

setup: system $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(BIN)/uv pip install --quiet --python $(BIN)/python $(UV_OPTIONS) --constraint constraints.txt torch==2.13.0 --editable . --group dev
	touch $@

# The oldest versions that pyproject.toml allows, in an environment of their own; torch is the one that there is a CPU build of.
lowest: system $(STAMP)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-lowest
	$(BIN)/uv pip install --quiet --python .venv-lowest/bin/python $(UV_OPTIONS) --resolution lowest-direct torch==2.13.0 . --group test
	$(subst $(VENV)/pycache,.venv-lowest/pycache,$(ENV)) $(ONE_THREAD) $(ON_SCREEN) .venv-lowest/bin/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

# What a Debian-like machine may lack: installed where we are root, else named.  Debian's Python comes without ensurepip; the rest only
# without a screen: the X server, and the libraries that Qt's xcb plugin loads.
X_PACKAGES := xvfb xauth libgl1 libgl1-mesa-dri libegl1 libopengl0 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 fonts-dejavu-core \
	libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1
INSTALL = { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "This machine lacks system packages, and make may not install them. \
	As root, once: apt-get install $(1)" >&2; exit 1; }; echo "make installs system packages (apt-get): $(1)" >&2; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-upgrade --no-install-recommends $(1); }

system:
	@$(PYTHON) -c "import ensurepip" 2>/dev/null || $(call INSTALL,python3-venv)
ifeq ($(DISPLAY)$(WAYLAND_DISPLAY),)
	@command -v xvfb-run >/dev/null || $(call INSTALL,$(X_PACKAGES))
endif

clean:
	rm -rf $(VENV) .venv-lowest demo_out
