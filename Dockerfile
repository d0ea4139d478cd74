# One image for the web processes, the workers, beat and every command; `compose.yaml` and `config/deploy/chart` run it.
#
#   docker build --tag latchkey .
#   docker build --target sbom --output type=local,dest=. .    what is in it, as CycloneDX: sbom.cdx.json
#   docker build --target tools --tag latchkey-tools .         with PostgreSQL's programs, for backups
#
# The base is pinned by its digest; another one, of a mirror of yours or newer, comes as --build-arg BASE=…. It needs
# Python 3.11 or later and glibc, and nothing else.
ARG BASE=python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285
# What `tools` stands on: the programs of the database's major version, or a later one, on a Debian whose Python has the
# minor version of BASE's.
ARG TOOLS_BASE=postgres:18-trixie

FROM ${BASE} AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements.lock ./
# Extras, such as the KMS of a cloud: --build-arg LOCK=… names a lock of your own beside it.
ARG LOCK=requirements.lock
COPY ${LOCK} ./chosen.lock
RUN python -m venv --without-pip /opt/venv \
    && python -m pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: --no-compile \
        --requirement chosen.lock \
    # Sources of translations, and languages that no page here is in.
    && find /opt/venv -name '*.po' -delete \
    && find /opt/venv -path '*/locale/*' -name '*.mo' \
        -not -path '*/locale/en*/*' -not -path '*/locale/de/*' -not -path '*/locale/es/*' -not -path '*/locale/fr/*' \
        -not -path '*/locale/ja/*' -not -path '*/locale/pt_BR/*' -delete

FROM packages AS sbom-made
COPY config/deploy/requirements-sbom.lock ./
RUN python -m venv /opt/sbom \
    && /opt/sbom/bin/python -m pip install --require-hashes --only-binary :all: --requirement requirements-sbom.lock \
    && /opt/sbom/bin/cyclonedx-py environment --output-reproducible --output-format JSON \
        --output-file /build/sbom.cdx.json /opt/venv

FROM scratch AS sbom
COPY --from=sbom-made /build/sbom.cdx.json /

FROM packages AS application
WORKDIR /app
COPY manage.py LICENSE ./
COPY config ./config
COPY connections ./connections
COPY providers ./providers
COPY static ./static
COPY templates ./templates
# The settings want values before they say where static files are. These are made up, open nothing, and stay in no layer.
RUN made_up() { python -c 'from base64 import b64encode; from os import urandom; print(b64encode(urandom(32)).decode())'; } \
    && SECRET_KEY=$(made_up) FERNET_KEYS=$(made_up) KEK_KEYS=build:$(made_up) AUDIT_KEYS=build:$(made_up) \
        DATABASE_URL=postgresql://build/build REDIS_URL=redis://build PUBLIC_URL=https://build.invalid \
        /opt/venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && /opt/venv/bin/python -m compileall -q -j 0 /app /opt/venv/lib

# `manage.py backup` in an image of its own, so that the one that runs all the time has neither server nor shell tools.
FROM ${TOOLS_BASE} AS tools
ENV PYTHONPATH=/opt/venv/lib/python3.13/site-packages PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    LATCHKEY_SPOOL_DIR=/var/lib/latchkey/spool LATCHKEY_CATALOG_DIR=/etc/latchkey/catalog
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends python3 && rm -rf /var/lib/apt/lists/* \
    && ln -s /usr/bin/python3.13 /usr/local/bin/python \
    && groupadd --gid 10001 latchkey && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent latchkey \
    && install --directory --mode 0700 --owner 10001 --group 10001 /var/lib/latchkey /var/lib/latchkey/spool /backups
COPY --from=application /opt/venv /opt/venv
COPY --from=application /app /app
WORKDIR /app
USER 10001:10001
ENTRYPOINT []
CMD ["python", "manage.py", "backup", "--help"]

FROM ${BASE}
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    GRANIAN_INTERFACE=asgi GRANIAN_HOST=0.0.0.0 GRANIAN_PORT=8000 GRANIAN_WORKERS=2 GRANIAN_BACKPRESSURE=4096 \
    GRANIAN_RESPAWN_FAILED_WORKERS=true \
    LATCHKEY_SPOOL_DIR=/var/lib/latchkey/spool LATCHKEY_CATALOG_DIR=/etc/latchkey/catalog \
    LATCHKEY_ALIVE_FILE=/tmp/latchkey-worker-alive
RUN groupadd --gid 10001 latchkey && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent latchkey \
    && install --directory --mode 0700 --owner 10001 --group 10001 /var/lib/latchkey /var/lib/latchkey/spool
COPY --from=application /opt/venv /opt/venv
COPY --from=application /app /app
WORKDIR /app
USER 10001:10001
# All else may be mounted read-only. Keep the folder: a credential that the database cannot take waits there.
VOLUME /var/lib/latchkey
EXPOSE 8000
STOPSIGNAL SIGTERM
# Of the web processes. Where the image runs something else, that has its own check, or none.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "config/web/healthy.py"]
CMD ["granian", "--no-access-log", "config.asgi:application"]
