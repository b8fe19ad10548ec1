# The product as an image: one command, `calsync`, for the worker, the relay and everything else.

FROM python:3.13-slim AS build
# `otel.txt` adds what traces need: `docker build --build-arg LOCK=otel.txt .`
ARG LOCK=run.txt
WORKDIR /source
COPY requirements/run.txt requirements/otel.txt requirements/build.txt requirements/
# Two environments: what runs, and what only builds. Everything comes with the hashes of the lock files.
RUN python -m venv --without-pip /app \
 && python -m venv --without-pip /build \
 && pip --python /app/bin/python install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r requirements/${LOCK} \
 && pip --python /build/bin/python install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r requirements/build.txt
COPY . .
RUN /build/bin/hatchling build --target wheel \
 && pip --python /app/bin/python install --no-cache-dir --no-deps --no-index dist/*.whl

FROM python:3.13-slim
RUN pip uninstall --yes --quiet pip \
 && useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent calsync \
 && install --directory --owner=calsync --group=calsync --mode=700 /secrets
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
# It writes nothing, so that it runs with a read-only root. SIGTERM reaches the program itself: it finishes what is
# under way, at most CALSYNC_STOP_SECONDS, and ends.
ENTRYPOINT ["calsync"]
CMD ["worker"]
