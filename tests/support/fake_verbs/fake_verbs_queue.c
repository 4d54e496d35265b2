// Completion queues and channels of the fake.
#include "support/fake_verbs/fake_verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct ibv_comp_channel *ibv_create_comp_channel(struct ibv_context *context) {
  struct fake_channel *channel = calloc(1, sizeof *channel);
  if (channel == NULL)
    return NULL;
  channel->base.context = context;
  channel->base.fd = epoll_create1(EPOLL_CLOEXEC);
  channel->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  struct epoll_event readable = {.events = EPOLLIN};
  if (epoll_ctl(channel->base.fd, EPOLL_CTL_ADD, channel->event, &readable) == 0)
    return &channel->base;
  ibv_destroy_comp_channel(&channel->base);
  return NULL;
}

int ibv_destroy_comp_channel(struct ibv_comp_channel *base) {
  struct fake_channel *channel = (struct fake_channel *)base;
  close(channel->event);
  close(channel->base.fd);
  free(channel);
  return 0;
}

struct ibv_cq *ibv_create_cq(struct ibv_context *context, int entries, void *cookie, struct ibv_comp_channel *channel,
                             int vector) {
  (void)vector;
  if (channel != NULL && fake_context_of(context)->settings.no_channel) {
    errno = EOPNOTSUPP;
    return NULL;
  }
  struct fake_queue *queue = calloc(1, sizeof *queue);
  if (queue == NULL)
    return NULL;
  queue->base = (struct ibv_cq){.context = context, .channel = channel, .cq_context = cookie, .cqe = entries};
  queue->entries = calloc((size_t)entries, sizeof *queue->entries);
  queue->channel = (struct fake_channel *)channel;
  if (queue->channel != NULL)
    queue->channel->queue = queue;
  if (queue->entries != NULL)
    return &queue->base;
  free(queue);
  return NULL;
}

int ibv_destroy_cq(struct ibv_cq *base) {
  struct fake_queue *queue = (struct fake_queue *)base;
  free(queue->entries);
  free(queue);
  return 0;
}

static void ring(struct fake_queue *queue) {
  uint64_t one = 1;
  queue->armed = false;
  (void)!write(queue->channel->event, &one, sizeof one);
}

void fake_queue_add(struct fake_queue *queue, const struct ibv_wc *completion) {
  struct fake_context *context = fake_context_of(queue->base.context);
  if (queue->count == (uint32_t)queue->base.cqe)
    abort(); // an overrun is the caller's fault, and kills a real queue too
  queue->entries[queue->count++] =
      (struct fake_entry){.completion = *completion, .late = fake_below(context, context->settings.late + 1)};
  if (queue->armed)
    ring(queue);
}

int fake_poll_cq(struct ibv_cq *base, int count, struct ibv_wc *completions) {
  struct fake_queue *queue = (struct fake_queue *)base;
  struct fake_context *context = fake_context_of(base->context);
  int found = 0;
  uint32_t kept = 0;
  pthread_mutex_lock(&context->lock);
  if (queue->pair != NULL)
    fake_pair_step(queue->pair);
  for (uint32_t i = 0; i < queue->count; i++) {
    struct fake_entry *entry = &queue->entries[i];
    if (entry->late == 0 && found < count) {
      completions[found++] = entry->completion;
      // As of a NIC's send queue: this tells the opcode of nothing else.
      if (queue->pair != NULL && entry->completion.opcode == IBV_WC_SEND)
        queue->pair->sends_open--;
      continue;
    }
    entry->late -= entry->late > 0;
    queue->entries[kept++] = *entry;
  }
  queue->count = kept;
  pthread_mutex_unlock(&context->lock);
  return found;
}

// Unlike a NIC's queue this one moves only when it is polled, so whatever waits in it is a reason to poll.
int fake_req_notify_cq(struct ibv_cq *base, int solicited) {
  (void)solicited;
  struct fake_queue *queue = (struct fake_queue *)base;
  struct fake_context *context = fake_context_of(base->context);
  pthread_mutex_lock(&context->lock);
  queue->armed = true;
  if (queue->count > 0 || (queue->pair != NULL && queue->pair->send_count > 0))
    ring(queue);
  struct epoll_event once = {.events = EPOLLIN | EPOLLONESHOT};
  if (queue->pair != NULL)
    epoll_ctl(queue->channel->base.fd, EPOLL_CTL_MOD, queue->pair->socket, &once);
  pthread_mutex_unlock(&context->lock);
  return 0;
}

int ibv_get_cq_event(struct ibv_comp_channel *base, struct ibv_cq **queue, void **cookie) {
  struct fake_channel *channel = (struct fake_channel *)base;
  struct epoll_event event;
  uint64_t rings;
  if (epoll_wait(base->fd, &event, 1, 0) != 1) {
    errno = EAGAIN;
    return -1;
  }
  (void)!read(channel->event, &rings, sizeof rings);
  *queue = &channel->queue->base;
  *cookie = channel->queue->base.cq_context;
  channel->queue->base.comp_events_completed++;
  return 0;
}

void ibv_ack_cq_events(struct ibv_cq *queue, unsigned int count) {
  queue->comp_events_completed -= count;
}
