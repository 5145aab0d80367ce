#include "player.h"

#include <algorithm>
#include <cmath>

namespace kdequant::lab {
namespace {

constexpr double kFirstMilliseconds = 420;
constexpr double kLastMilliseconds = 25;
constexpr double kQuicker = 0.9;  // each frame stands this much as long as the one before

}  // namespace

void Player::Play(FilmStart start) {
  if (!experiment_.has_film()) experiment_.StartFilm(start);
  if (!experiment_.has_film()) return;  // no levels yet
  if (experiment_.frame() + 1 >= experiment_.film().size()) experiment_.ShowFrame(0);
  playing_ = true;
  next_ = 0;
}

bool Player::Tick(double now) {
  if (!playing_) return false;
  const std::size_t frame = experiment_.frame();
  if (!experiment_.has_film() || frame + 1 >= experiment_.film().size()) {
    playing_ = false;
    return false;
  }
  const auto stands = [](std::size_t shown) {
    return std::max(kFirstMilliseconds * std::pow(kQuicker, static_cast<double>(shown)), kLastMilliseconds);
  };
  if (next_ <= 0) next_ = now + stands(frame);
  if (now < next_) return false;
  experiment_.ShowFrame(frame + 1);
  next_ = now + stands(frame + 1);
  return true;
}

}  // namespace kdequant::lab
