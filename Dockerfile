# One image of ours for migrate, api and worker.
FROM python:3.11-slim-bookworm AS build
WORKDIR /srv/caravel
COPY requirements.txt ./
RUN python -m venv /opt/caravel && /opt/caravel/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.txt
COPY pyproject.toml LICENSE README.md ./
COPY domain domain
COPY workflows workflows
COPY activities activities
COPY infra infra
COPY rehearsal rehearsal
COPY api api
RUN /opt/caravel/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/caravel --create-home caravel
COPY --from=build /opt/caravel /opt/caravel
USER 10001
ENV PATH=/opt/caravel/bin:$PATH PYTHONUNBUFFERED=1 CARAVEL_HOME=/var/lib/caravel
WORKDIR /var/lib/caravel
ENTRYPOINT ["caravel"]
