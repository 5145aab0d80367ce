// Plays the film of an experiment: which frame when.
#ifndef KDEQUANT_WEB_LAB_PLAYER_H_
#define KDEQUANT_WEB_LAB_PLAYER_H_

#include "experiment.h"

namespace kdequant::lab {

/// Slowly at first, when the levels leap, then faster and faster, when they creep.
class Player {
 public:
  explicit Player(Experiment& experiment) : experiment_(experiment) {}

  /// From the beginning if it stands at the end; from `start` if there is no film yet.
  void Play(FilmStart start);
  void Pause() { playing_ = false; }
  bool playing() const { return playing_; }

  /// Shows the frame that is due at `now`, in milliseconds of any clock. True if it is another one.
  bool Tick(double now);

 private:
  Experiment& experiment_;
  bool playing_ = false;
  double next_ = 0;  // when the next frame is due; 0: the first tick decides
};

}  // namespace kdequant::lab

#endif  // KDEQUANT_WEB_LAB_PLAYER_H_
