// Ranks meet through the addresses that the caller exchanges, not through a store of Gloo's. Connecting is as in
// gloo::rendezvous::Context: a socket of its own for every pair, all ranks walking their peers in one order.
#include "baseline/gloo_shim.h"

#include <gloo/allreduce.h>
#include <gloo/allreduce_halving_doubling.h>
#include <gloo/allreduce_ring.h>
#include <gloo/allreduce_ring_chunked.h>
#include <gloo/context.h>
#include <gloo/transport/address.h>
#include <gloo/transport/context.h>
#include <gloo/transport/tcp/device.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

// Gloo keeps what connects a context to those that derive from it.
class ConnectedContext : public gloo::Context {
public:
  ConnectedContext(int own_rank, int ranks, const char *interface, std::chrono::milliseconds timeout)
      : gloo::Context(own_rank, ranks) {
    gloo::transport::tcp::attr attributes;
    attributes.iface = interface;
    setTimeout(timeout);
    device_ = gloo::transport::tcp::CreateDevice(attributes);
    transportContext_ = device_->createContext(rank, size);
    transportContext_->setTimeout(timeout);
    for (int peer = 0; peer < size; peer++)
      if (peer != rank)
        transportContext_->createPair(peer)->setLocalRank(rank);
  }

  std::vector<char> address_for(int peer) const {
    return transportContext_->getPair(peer)->address().bytes();
  }

  void connect(int peer, const std::vector<char> &address) {
    transportContext_->getPair(peer)->connect(address);
  }
};

struct gloo_shim {
  std::shared_ptr<ConnectedContext> context;
  std::function<void()> run;
};

// An address and how many of its bytes count.
struct address_record {
  uint32_t bytes;
  char data[gloo::transport::Address::kMaxByteSize];
};

// Exceptions end here: `action` in C's terms.
template <typename Action> static bool guarded(struct gloo_reason *reason, const Action &action) {
  try {
    action();
    return true;
  } catch (const std::exception &exception) {
    std::snprintf(reason->text, sizeof reason->text, "%s", exception.what());
  } catch (...) {
    std::snprintf(reason->text, sizeof reason->text, "an exception without words");
  }
  return false;
}

// ---- ranks ------------------------------------------------------------------------------------------------

struct gloo_shim *gloo_shim_open(int rank, int size, const char *interface, int64_t timeout_ms,
                                 struct gloo_reason *reason) {
  struct gloo_shim *shim = nullptr;
  guarded(reason, [&] {
    std::unique_ptr<gloo_shim> opened(new gloo_shim());
    opened->context = std::make_shared<ConnectedContext>(rank, size, interface, std::chrono::milliseconds(timeout_ms));
    shim = opened.release();
  });
  return shim;
}

void gloo_shim_close(struct gloo_shim *shim) {
  struct gloo_reason ignored;
  // What was prepared holds buffers on the context's sockets: it goes first.
  guarded(&ignored, [&] {
    if (shim)
      shim->run = nullptr;
  });
  guarded(&ignored, [&] { delete shim; });
}

size_t gloo_shim_address_bytes(void) {
  return sizeof(struct address_record);
}

bool gloo_shim_addresses(const struct gloo_shim *shim, void *addresses, struct gloo_reason *reason) {
  return guarded(reason, [&] {
    auto *records = static_cast<struct address_record *>(addresses);
    for (int peer = 0; peer < shim->context->size; peer++) {
      if (peer == shim->context->rank)
        continue;
      const std::vector<char> address = shim->context->address_for(peer);
      if (address.size() > sizeof records[peer].data)
        throw std::length_error("an address is longer than Gloo says addresses are");
      records[peer].bytes = static_cast<uint32_t>(address.size());
      std::memcpy(records[peer].data, address.data(), address.size());
    }
  });
}

bool gloo_shim_connect(struct gloo_shim *shim, const void *all, struct gloo_reason *reason) {
  return guarded(reason, [&] {
    const auto *records = static_cast<const struct address_record *>(all);
    const int rank = shim->context->rank, size = shim->context->size;
    for (int peer = 0; peer < size; peer++) {
      const struct address_record *record = &records[peer * size + rank]; // what the peer listens at for this rank
      if (record->bytes > sizeof record->data)
        throw std::length_error("a peer's address is longer than Gloo says addresses are");
      if (peer != rank)
        shim->context->connect(peer, std::vector<char>(record->data, record->data + record->bytes));
    }
  });
}

// ---- allreduce --------------------------------------------------------------------------------------------

template <typename T>
static void (*kernel_of(enum gloo_operation operation))(void *, const void *, const void *, size_t) {
  switch (operation) {
  case GLOO_SUM:
    return &gloo::sum<T>;
  case GLOO_MIN:
    return &gloo::min<T>;
  case GLOO_MAX:
    return &gloo::max<T>;
  case GLOO_PRODUCT:
    return &gloo::product<T>;
  }
  throw std::invalid_argument("no such operation");
}

template <typename T> static const gloo::ReductionFunction<T> *function_of(enum gloo_operation operation) {
  switch (operation) {
  case GLOO_SUM:
    return gloo::ReductionFunction<T>::sum;
  case GLOO_MIN:
    return gloo::ReductionFunction<T>::min;
  case GLOO_MAX:
    return gloo::ReductionFunction<T>::max;
  case GLOO_PRODUCT:
    return gloo::ReductionFunction<T>::product;
  }
  throw std::invalid_argument("no such operation");
}

// The newer functions, out of place if asked for. Buffers and options are made once and used again.
template <typename T>
static std::function<void()> by_function(const std::shared_ptr<gloo::Context> &context,
                                         const struct gloo_allreduce &asked,
                                         gloo::AllreduceOptions::Algorithm algorithm) {
  const auto count = static_cast<size_t>(asked.count);
  auto options = std::make_shared<gloo::AllreduceOptions>(context);
  options->setAlgorithm(algorithm);
  if (asked.input != asked.output)
    options->setInput(static_cast<T *>(asked.input), count);
  options->setOutput(static_cast<T *>(asked.output), count);
  options->setReduceFunction(kernel_of<T>(asked.operation));
  return [options] { gloo::allreduce(*options); };
}

// The older classes work in place alone, so the input is copied first, as a caller would have to.
template <typename T, typename Class>
static std::function<void()> by_class(const std::shared_ptr<gloo::Context> &context,
                                      const struct gloo_allreduce &asked) {
  const void *input = asked.input;
  void *output = asked.output;
  const size_t bytes = static_cast<size_t>(asked.count) * sizeof(T);
  auto made = std::make_shared<Class>(context, std::vector<T *>{static_cast<T *>(output)}, asked.count,
                                      function_of<T>(asked.operation));
  return [made, output, input, bytes] {
    if (input != output)
      std::memcpy(output, input, bytes);
    made->run();
  };
}

template <typename T>
static std::function<void()> by_algorithm(const std::shared_ptr<gloo::Context> &context,
                                          const struct gloo_allreduce &asked) {
  switch (asked.algorithm) {
  case GLOO_RING:
    return by_function<T>(context, asked, gloo::AllreduceOptions::Algorithm::RING);
  case GLOO_BCUBE:
    return by_function<T>(context, asked, gloo::AllreduceOptions::Algorithm::BCUBE);
  case GLOO_RING_WHOLE:
    return by_class<T, gloo::AllreduceRing<T>>(context, asked);
  case GLOO_RING_CHUNKED:
    return by_class<T, gloo::AllreduceRingChunked<T>>(context, asked);
  case GLOO_HALVING_DOUBLING:
    return by_class<T, gloo::AllreduceHalvingDoubling<T>>(context, asked);
  }
  throw std::invalid_argument("no such algorithm");
}

static std::function<void()> by_datatype(const std::shared_ptr<gloo::Context> &context,
                                         const struct gloo_allreduce &asked) {
  switch (asked.datatype) {
  case GLOO_FLOAT32:
    return by_algorithm<float>(context, asked);
  case GLOO_FLOAT64:
    return by_algorithm<double>(context, asked);
  case GLOO_FLOAT16:
    return by_algorithm<gloo::float16>(context, asked);
  case GLOO_INT32:
    return by_algorithm<int32_t>(context, asked);
  case GLOO_INT64:
    return by_algorithm<int64_t>(context, asked);
  case GLOO_UINT8:
    return by_algorithm<uint8_t>(context, asked);
  }
  throw std::invalid_argument("no such datatype");
}

bool gloo_shim_prepare(struct gloo_shim *shim, const struct gloo_allreduce *allreduce, struct gloo_reason *reason) {
  return guarded(reason, [&] { shim->run = by_datatype(shim->context, *allreduce); });
}

bool gloo_shim_run(struct gloo_shim *shim, struct gloo_reason *reason) {
  return guarded(reason, [&] { shim->run(); });
}
