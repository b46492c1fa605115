"""What Atelier does, without saying how it looks: data, networks, training, answers, evaluation."""
